"""DuckDB attaches the catalog, creates and changes tables in it; headrace's SQL agrees."""

import unittest

import clients
from fixture import ServerTest


class DuckdbTest(ServerTest):
    def setUp(self):
        self.lake = clients.duckdb_attached(self.server.port)
        self.namespace = f"duck_{self._testMethodName.removeprefix('test_')}"
        self.lake.execute(f"CREATE SCHEMA lake.{self.namespace}")
        self.name = f"{self.namespace}.t"

    def both(self, sql):
        """The same rows from DuckDB and from headrace."""
        theirs = [list(row) for row in self.lake.sql(sql.format(t=f"lake.{self.name}")).fetchall()]
        self.assertEqual(theirs, self.sql(sql.format(t=self.name)))
        return theirs

    def test_rows(self):
        self.lake.execute(f"CREATE TABLE lake.{self.name} (id BIGINT, ts TIMESTAMPTZ, v VARCHAR)")
        self.lake.execute(f"INSERT INTO lake.{self.name} SELECT i, '2026-01-01 00:00:00Z'::TIMESTAMPTZ, 'v' || i FROM range(10) r(i)")
        self.assertEqual(self.both("SELECT count(*), sum(id)::BIGINT, max(v) FROM {t}"), [[10, 45, "v9"]])
        self.lake.execute(f"INSERT INTO lake.{self.name} VALUES (100, NULL, NULL)")
        self.assertEqual(self.both("SELECT count(*), sum(id)::BIGINT FROM {t}"), [[11, 145]])
        self.assertEqual(clients.pyiceberg(self.server.port).load_table(self.name).scan().to_arrow().num_rows, 11)

    def test_partitions(self):
        self.lake.execute(
            f"CREATE TABLE lake.{self.name} (id BIGINT, ts TIMESTAMPTZ) PARTITIONED BY (day(ts))")
        self.lake.execute(
            f"INSERT INTO lake.{self.name} SELECT i, '2026-01-01 00:00:00Z'::TIMESTAMPTZ + i * INTERVAL 6 HOUR FROM range(10) r(i)")
        self.assertEqual(self.both("SELECT count(*) FROM {t} WHERE ts < '2026-01-02 00:00:00Z'"), [[4]])

    def test_evolution(self):
        self.lake.execute(f"CREATE TABLE lake.{self.name} AS SELECT i AS id FROM range(3) r(i)")
        self.lake.execute(f"ALTER TABLE lake.{self.name} ADD COLUMN extra INTEGER")
        self.lake.execute(f"INSERT INTO lake.{self.name} VALUES (3, 30)")
        self.assertEqual(self.both("SELECT id, extra FROM {t} ORDER BY id"), [[0, None], [1, None], [2, None], [3, 30]])

    def test_transaction_over_two_tables(self):
        self.lake.execute(f"CREATE TABLE lake.{self.name} (id BIGINT)")
        self.lake.execute(f"CREATE TABLE lake.{self.namespace}.u (id BIGINT)")
        self.lake.execute("BEGIN")
        self.lake.execute(f"INSERT INTO lake.{self.name} VALUES (1)")
        self.lake.execute(f"INSERT INTO lake.{self.namespace}.u VALUES (2)")
        self.assertEqual(self.sql(f"SELECT count(*) FROM {self.namespace}.u"), [[0]])
        self.lake.execute("COMMIT")
        self.assertEqual(self.sql(f"SELECT t.id, u.id FROM {self.name} t, {self.namespace}.u u"), [[1, 2]])

    def test_reads_what_jobs_write(self):
        self.ingest(50)
        self.wait_for("SELECT count(*) FROM silver.events", 50)
        self.request("POST", "/v1/commit", b"{}")
        for sql in ("SELECT count(*) FROM {}silver.events", "SELECT sum(amount)::BIGINT FROM {}silver.events",
                    "SELECT sum(amount)::BIGINT FROM {}gold.totals"):
            self.assertEqual([list(row) for row in self.lake.sql(sql.format("lake.")).fetchall()],
                             self.sql(sql.format("")))

    def test_drop(self):
        self.lake.execute(f"CREATE TABLE lake.{self.name} (id BIGINT)")
        self.lake.execute(f"DROP TABLE lake.{self.name}")
        self.assertEqual(self.sql(f"SELECT count(*) FROM system.tables WHERE name = '{self.name}'"), [[0]])
        self.lake.execute(f"DROP SCHEMA lake.{self.namespace}")


if __name__ == "__main__":
    unittest.main()
