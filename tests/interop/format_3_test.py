#!/usr/bin/env python3
"""Spark, DuckDB, pyiceberg and headrace on tables of format version 3: deletion vectors and row ids of each, read by all.

Trino 476 cannot read deletion vectors and is left out; pyiceberg 0.12 reads them and does not write to such tables.

    make interop
"""

import time
import unittest

from engines_fixture import EnginesTest, Producer, say
from interop_test import COLUMNS, Ledger, row

MERGE_ON_READ = ("'format-version' = '3', 'write.delete.mode' = 'merge-on-read', "
                 "'write.update.mode' = 'merge-on-read', 'write.merge.mode' = 'merge-on-read'")


class Format3Test(EnginesTest):
    with_trino = False

    def create(self, name, properties=MERGE_ON_READ):
        columns = ", ".join(f"{column} {self.spark.type(kind)}" for column, kind in COLUMNS.items())
        self.spark.rows(f"CREATE TABLE {name} ({columns}) USING iceberg PARTITIONED BY (days(ts)) "
                        f"TBLPROPERTIES ({properties})")

    def delete_files(self, name):
        """(format, rows, data file) of each, as Spark sees them."""
        return self.spark.rows(f"SELECT file_format, record_count, referenced_data_file FROM {name}.delete_files")

    def assert_one_vector_each(self, name):
        files = self.delete_files(name)
        self.assertEqual({file[0] for file in files}, {"PUFFIN"})
        self.assertEqual(len({file[2] for file in files}), len(files))

    def row_ids(self, name):
        """(row id, sequence number of its last change) by id, as Spark says."""
        rows = self.spark.rows(f"SELECT id, _row_id, _last_updated_sequence_number FROM {name}")
        self.assertEqual(len({row_id for _, row_id, _ in rows}), len(rows))
        return {number: (row_id, changed) for number, row_id, changed in rows}

    def test_all_change_one_table(self):
        self.spark.rows("CREATE NAMESPACE shared3")
        name = "shared3.orders"
        self.create(name)
        ledger = Ledger(COLUMNS)
        for turn, writer in enumerate([self.spark, self.duckdb, self.spark]):
            with self.subTest(writer=writer.name, turn=turn):
                rows = [row(i) for i in range(turn * 40, turn * 40 + 40)]
                writer.insert(name, COLUMNS, rows)
                ledger.put(rows)
                self.assert_all_read(name, ledger.columns, ledger.rows())
                ids = [turn * 40 + i for i in (1, 2, 30)] + [turn]
                writer.delete(name, ids)
                ledger.remove(ids)
                self.assert_all_read(name, ledger.columns, ledger.rows())
                self.assert_one_vector_each(name)
                changed = [row(i, turn + 1) for i in (turn * 40 + 5, turn * 40 + 6, 7, 1000 + turn)]
                writer.merge(name, COLUMNS, changed)
                ledger.put(changed)
                self.assert_all_read(name, ledger.columns, ledger.rows())
                before = self.row_ids(name)
                self.optimize(name)
                self.assert_all_read(name, ledger.columns, ledger.rows())
                self.assertEqual(self.row_ids(name), before)
                say(f"format 3: {writer.name} inserts, deletes and merges; {len(ledger.rows())} rows keep their ids "
                    "when headrace optimizes")

    def test_jobs_write_vectors(self):
        producer = Producer(self.server)
        producer.send(200)
        self.wait_until(lambda: "vectors" in self.headrace.tables("silver"))
        for _ in range(4):
            producer.send(200)
            self.commit()
        latest = {}
        for event in producer.sent:
            latest[event["id"] % 50] = (event["id"] % 50, event["id"], event["amount"])
        self.wait_until(lambda: sorted(self.headrace.read("silver.vectors", ["slot", "id", "amount"])) ==
                        sorted(latest.values()))
        self.commit()
        self.assert_all_read("silver.vectors", ["slot", "id", "amount"], latest.values())
        self.assert_one_vector_each("silver.vectors")
        self.row_ids("silver.vectors")
        # Spark deletes what the job wrote; the job goes on from there.
        self.spark.rows("ALTER TABLE silver.vectors SET TBLPROPERTIES ('write.delete.mode' = 'merge-on-read')")
        self.spark.rows("DELETE FROM silver.vectors WHERE slot IN (3, 4)")
        for slot in (3, 4):
            del latest[slot]
        # The job opens its table again, and SQL shows it then.
        self.wait_until(lambda: len(self.headrace.read("silver.vectors", ["slot"])) == 48)
        self.assert_all_read("silver.vectors", ["slot", "id", "amount"], latest.values())
        producer.send(1)
        event = producer.sent[-1]
        latest[event["id"] % 50] = (event["id"] % 50, event["id"], event["amount"])
        self.wait_until(lambda: sorted(self.headrace.read("silver.vectors", ["slot", "id", "amount"])) ==
                        sorted(latest.values()))
        self.commit()
        self.assert_all_read("silver.vectors", ["slot", "id", "amount"], latest.values())
        before = self.row_ids("silver.vectors")
        self.optimize("silver.vectors")
        self.assert_all_read("silver.vectors", ["slot", "id", "amount"], latest.values())
        self.assertEqual(self.row_ids("silver.vectors"), before)
        say(f"format 3: a job's vectors and Spark's on one table; all agree on {len(latest)} rows")

    def test_a_table_is_upgraded(self):
        self.spark.rows("CREATE NAMESPACE upgraded")
        for name, upgrade in [
                ("upgraded.by_headrace",
                 lambda name: self.headrace_command("tables", "alter", name, "--format-version", "3")),
                ("upgraded.by_spark",
                 lambda name: self.spark.rows(f"ALTER TABLE {name} SET TBLPROPERTIES ('format-version' = '3')"))]:
            with self.subTest(table=name):
                self.create(name, MERGE_ON_READ.replace("'3'", "'2'"))
                rows = [row(i) for i in range(30)]
                self.spark.insert(name, COLUMNS, rows)
                self.spark.delete(name, [1, 2, 3])
                ledger = Ledger(COLUMNS)
                ledger.put(rows)
                ledger.remove([1, 2, 3])
                upgrade(name)
                self.assert_all_read(name, ledger.columns, ledger.rows())
                self.assertEqual({file[0] for file in self.delete_files(name)}, {"PARQUET"})
                self.spark.delete(name, [4, 5, 6])
                ledger.remove([4, 5, 6])
                self.assert_all_read(name, ledger.columns, ledger.rows())
                self.assert_one_vector_each(name)
                before = self.row_ids(name)
                self.optimize(name)
                self.assert_all_read(name, ledger.columns, ledger.rows())
                self.assertEqual(self.row_ids(name), before)
        say("format 3: upgraded tables keep their deletes")

    def commit(self):
        connection = self.server.connect()
        connection.request("POST", "/v1/commit", b"{}", {"Content-Type": "application/json"})
        connection.close()

    def wait_until(self, condition, timeout_s=120):
        deadline = time.monotonic() + timeout_s
        while not condition():
            self.assertLess(time.monotonic(), deadline, self.server.log_end())
            time.sleep(0.1)


if __name__ == "__main__":
    unittest.main(verbosity=2)
