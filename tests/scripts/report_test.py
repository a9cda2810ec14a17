#!/usr/bin/env python3
"""scripts/report_tests.py: a run says what it skipped and why, and in CI a skipped test is a failure."""

import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

REPORT = Path(__file__).resolve().parents[2] / "scripts/report_tests.py"

PASSED = '<testcase name="log.Appends" time="0.5" status="run"/>'
FAILED = '<testcase name="log.Loses" time="0.1" status="fail"><failure message=""/></testcase>'
SKIPPED = """<testcase name="store.Postgres" time="0.1" status="notrun"><system-out>
[ RUN      ] Store.Postgres
store_test.cc:12: Skipped
there is no PostgreSQL here

[  SKIPPED ] Store.Postgres (0 ms)
</system-out></testcase>"""
SKIPPED_BY_A_SCRIPT = '<testcase name="shared" time="0" status="notrun"><system-out>no initdb\n</system-out></testcase>'


def report(*cases, ci=""):
    with tempfile.NamedTemporaryFile("w", suffix=".xml") as file:
        file.write(f"<testsuite>{''.join(cases)}</testsuite>")
        file.flush()
        done = subprocess.run([sys.executable, REPORT, file.name], capture_output=True, text=True, check=False,
                              env=os.environ | {"CI": ci})
    return done.returncode, done.stdout


class ReportTest(unittest.TestCase):
    def test_counts(self):
        code, text = report(PASSED, PASSED)
        self.assertEqual(code, 0)
        self.assertTrue(text.endswith("2 passed, 0 failed\n"), text)

    def test_names_what_failed(self):
        code, text = report(PASSED, FAILED)
        self.assertEqual(code, 1)
        self.assertIn("Failed: log.Loses\n", text)

    def test_says_what_was_skipped_and_why(self):
        code, text = report(PASSED, SKIPPED, SKIPPED_BY_A_SCRIPT)
        self.assertEqual(code, 0)
        self.assertIn("Skipped: store.Postgres: there is no PostgreSQL here\n", text)
        self.assertIn("Skipped: shared: no initdb\n", text)
        self.assertTrue(text.endswith("1 passed, 0 failed, 2 skipped\n"), text)

    def test_skips_nothing_in_ci(self):
        code, text = report(PASSED, SKIPPED, ci="true")
        self.assertEqual(code, 1)
        self.assertIn("In CI every test must run", text)


if __name__ == "__main__":
    unittest.main()
