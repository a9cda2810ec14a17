#!/usr/bin/env python3
"""Closes a test run: what was skipped and why, the slowest tests, and the count.

In CI nothing may be skipped, so there a skipped test fails the run.
"""

import os
import re
import sys
import xml.etree.ElementTree as ElementTree

SKIPPED_BY_GOOGLETEST = re.compile(r"Skipped\n(.*?)\n(?:\[|$)", re.DOTALL)


def reason(case):
    """Why a test was skipped, in its own words where it has any."""
    output = case.findtext("system-out") or ""
    match = SKIPPED_BY_GOOGLETEST.search(output)
    if match and match.group(1).strip():
        return " ".join(match.group(1).split())
    lines = [line for line in output.splitlines() if line.strip()]
    return lines[-1] if lines else "no reason given"


def main():
    cases = ElementTree.parse(sys.argv[1]).getroot().findall("testcase")
    failed = [case for case in cases if case.get("status") == "fail"]
    skipped = [case for case in cases if case.get("status") in ("notrun", "disabled")]

    slowest = sorted(cases, key=lambda case: float(case.get("time") or 0), reverse=True)[:5]
    print("Slowest: " + ", ".join(f"{c.get('name')} {float(c.get('time') or 0):.1f} s" for c in slowest))
    for case in skipped:
        print(f"Skipped: {case.get('name')}: {reason(case)}")
    for case in failed:
        print(f"Failed: {case.get('name')}")
    passed = len(cases) - len(failed) - len(skipped)
    print(f"{passed} passed, {len(failed)} failed" + (f", {len(skipped)} skipped" if skipped else ""))

    if skipped and os.environ.get("CI") == "true":
        print("In CI every test must run: install what the skipped ones ask for.")
        return 1
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
