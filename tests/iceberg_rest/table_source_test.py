"""A job whose source is a table that another engine writes: every row of its new snapshots arrives once, and the table is
maintained like one of headrace's own."""

import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

import pyarrow as pa

import clients
from fixture import HERE, ServerTest

JOB = """
mode: streaming
nodes:
  readings: {type: table, table: outside.readings}
  doubled: {type: derive, input: readings, columns: {twice: value * 2}}
  out: {type: table, input: doubled, table: silver.doubled}
"""


def rows(first, count):
    return pa.table({"id": pa.array(range(first, first + count), pa.int64()),
                     "value": pa.array([i * 10 for i in range(first, first + count)], pa.int64())})


class TableSourceTest(ServerTest):
    @classmethod
    def setUpClass(cls):
        # A copy, for a job comes to it while the server runs.
        copy = tempfile.TemporaryDirectory(prefix="headrace-table-source-")
        cls.addClassCleanup(copy.cleanup)
        cls.project = Path(copy.name) / "project"
        shutil.copytree(HERE / "project", cls.project)
        super().setUpClass()

    def optimize(self, name):
        subprocess.run([self.server.binary, "tables", "optimize", name, "--project", self.project], check=True,
                       capture_output=True, env=self.server.environment())

    def check(self, expected):
        self.wait_for("SELECT count(*) FROM silver.doubled", expected)
        self.assertEqual(self.sql("SELECT count(DISTINCT id), sum(twice)::BIGINT, sum(value)::BIGINT FROM silver.doubled"),
                         [[expected, 2 * sum(i * 10 for i in range(expected)), sum(i * 10 for i in range(expected))]])

    def test_new_snapshots_arrive_once(self):
        catalog = clients.pyiceberg(self.server.port)
        catalog.create_namespace("outside")
        table = catalog.create_table("outside.readings", rows(0, 1).schema)
        table.append(rows(0, 100))
        (self.project / "jobs" / "follow.yaml").write_text(JOB)
        self.check(100)
        for first in range(100, 500, 100):
            table.refresh().append(rows(first, 100))
        self.check(500)
        lake = clients.duckdb_attached(self.server.port)
        lake.execute("INSERT INTO lake.outside.readings SELECT i, i * 10 FROM range(500, 600) r(i)")
        self.check(600)
        # Files written anew hold nothing new, whoever writes them.
        files = self.sql("SELECT count(*) FROM system.files WHERE \"table\" = 'outside.readings'")[0][0]
        self.optimize("outside.readings")
        self.assertLess(self.sql("SELECT count(*) FROM system.files WHERE \"table\" = 'outside.readings'")[0][0], files)
        table.refresh().append(rows(600, 100))
        self.check(700)
        # On after a crash, from where its own table says that it stands.
        self.request("POST", "/v1/commit", b"{}")
        self.connection.close()
        self.server.kill()
        self.server.start()
        self.server.wait_until_ready()
        type(self).connection = self.server.connect()
        table.refresh().append(rows(700, 100))
        self.check(800)
        self.check_changed_rows(table.refresh(), lake)

    def check_changed_rows(self, table, lake):
        """Copied on write or deleted by position: what stays does not come again, what is new does."""
        table.delete("id < 10")
        lake.execute("DELETE FROM lake.outside.readings WHERE id = 20")
        table.refresh().overwrite(rows(30, 1).set_column(1, "value", pa.array([7], pa.int64())), "id = 30")
        table.refresh().append(rows(800, 100))
        self.wait_for("SELECT count(*) FROM silver.doubled WHERE id >= 800", 100)
        self.assertEqual(self.sql("SELECT count(*), count(DISTINCT id) FROM silver.doubled"), [[901, 900]])
        self.assertEqual(self.sql("SELECT twice FROM silver.doubled WHERE id = 30 ORDER BY ALL"), [[14], [600]])


if __name__ == "__main__":
    unittest.main()
