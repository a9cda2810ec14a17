#!/usr/bin/env python3
"""Spark, Trino, pyiceberg, DuckDB and headrace work on the same tables at once, and agree on every row.

    make interop [SEED=s] [STEPS=n]    the seed repeats the random part, which has n steps (25)
"""

import datetime
import os
import random
import time
import unittest
from decimal import Decimal

from engines_fixture import EnginesTest, Producer, say
from engines import spelled_rows

COLUMNS = {"id": "bigint", "kind": "varchar", "amount": "decimal(12,2)", "flag": "boolean", "day": "date",
           "ts": "timestamptz"}


def row(number, version=0):
    """A row with this id, different in each version."""
    return (number, f"k{number % 5}", Decimal(number * 100 + version).scaleb(-2), (number + version) % 3 == 0,
            datetime.date(2026, 1, 1 + number % 3), datetime.datetime(2026, 1, 1 + number % 3, number % 24,
                                                                      tzinfo=datetime.timezone.utc))


class Ledger:
    """What a table is to hold, by id; its columns change, too."""

    def __init__(self, columns):
        self.columns = list(columns)
        self._rows = {}

    def put(self, rows):
        """Columns that the rows lack are NULL in them."""
        for new in rows:
            self._rows[new[0]] = list(new) + [None] * (len(self.columns) - len(new))

    def remove(self, ids):
        for number in ids:
            self._rows.pop(number, None)

    def add_column(self, name):
        self.columns.append(name)
        for values in self._rows.values():
            values.append(None)

    def rename_column(self, name, to):
        self.columns[self.columns.index(name)] = to

    def rows(self):
        return [tuple(values) for values in self._rows.values()]

    def ids(self):
        return sorted(self._rows)


class InteropTest(EnginesTest):
    def create_namespace(self, name):
        self.spark.rows(f"CREATE NAMESPACE {name}")

    def test_each_makes_a_table_that_all_read(self):
        self.create_namespace("made")
        for maker in self.writers:
            with self.subTest(maker=maker.name):
                name = f"made.by_{maker.name.lower()}"
                maker.create(name, COLUMNS, partition_by="ts")
                ledger = Ledger(COLUMNS)
                ledger.put([row(i) for i in range(20)] + [(20, None, None, None, None, None)])
                maker.insert(name, ledger.columns, ledger.rows())
                self.assert_all_read(name, ledger.columns, ledger.rows())
                self.assertEqual({engine.name for engine in self.engines if name.split(".")[1] in engine.tables("made")},
                                 {engine.name for engine in self.engines})
                maker.drop(name)
                self.assertEqual([], [engine.name for engine in self.engines
                                      if name.split(".")[1] in engine.tables("made")])
        self.spark.rows("DROP NAMESPACE made")

    def test_all_change_one_table(self):
        self.create_namespace("shared")
        name = "shared.orders"
        self.spark.create(name, COLUMNS, partition_by="ts")
        ledger = Ledger(COLUMNS)
        kept = []  # (snapshot, columns, rows)

        def settle(step):
            self.assert_all_read(name, ledger.columns, ledger.rows())
            kept.append((self.current_snapshot(name), list(ledger.columns), ledger.rows()))
            say(f"{step}: {len(ledger.rows())} rows")

        for turn, writer in enumerate(self.writers):
            with self.subTest(writer=writer.name):
                rows = [row(i) for i in range(turn * 40, turn * 40 + 40)]
                writer.insert(name, COLUMNS, rows)
                ledger.put(rows)
                settle(f"{writer.name} inserts")
                ids = [turn * 40 + i for i in (1, 2, 30)] + [turn]
                writer.delete(name, ids)
                ledger.remove(ids)
                settle(f"{writer.name} deletes")
                changed = [row(i, turn + 1) for i in (turn * 40 + 5, turn * 40 + 6, 7, 1000 + turn)]
                writer.merge(name, COLUMNS, changed)
                ledger.put(changed)
                settle(f"{writer.name} merges")
                self.optimize(name)
                settle("headrace optimizes")
                writer.add_column(name, f"more_{turn}", "double")
                ledger.add_column(f"more_{turn}")
                writer.rename_column(name, f"more_{turn}", f"extra_{turn}")
                ledger.rename_column(f"more_{turn}", f"extra_{turn}")
                settle(f"{writer.name} evolves")
        self.check_time_travel(name, kept)

    def check_time_travel(self, name, kept):
        last_of = {snapshot: (columns, rows) for snapshot, columns, rows in kept}
        self.spark.rows(f"ALTER TABLE {name} CREATE TAG early AS OF VERSION {kept[0][0]}")
        for version, snapshot in [(kept[0][0], kept[0][0]), (kept[7][0], kept[7][0]), ("early", kept[0][0])]:
            columns, rows = last_of[snapshot]
            columns = [column for column in columns if column in COLUMNS]
            readers = [engine for engine in self.engines if not (engine is self.duckdb and version == "early")]
            for engine in readers:  # DuckDB knows no tags
                with self.subTest(reader=engine.name, version=version):
                    self.assertEqual(engine.read(name, columns, version),
                                     spelled_rows(values[:len(columns)] for values in rows))
        say("all read it as it was")

    def test_members_get_other_names(self):
        """Also such that others had before, of a struct and in a list of structs."""
        self.create_namespace("nested")
        name = "nested.t"
        self.spark.rows(f"CREATE TABLE {name} (id BIGINT, s STRUCT<x: BIGINT, y: STRING>, "
                        "l ARRAY<STRUCT<x: BIGINT, y: STRING>>) USING iceberg")
        self.spark.rows(f"INSERT INTO {name} VALUES (1, named_struct('x', 10, 'y', 'a'), "
                        "array(named_struct('x', 11, 'y', 'aa')))")

        def settle(step, columns, rows):
            self.assert_all_read(name, ["id", *columns], rows)
            for engine, first in ((self.headrace, "l[1]"), (self.duckdb, "l[1]"), (self.trino, "l[1]"),
                                  (self.spark, "l[0]")):
                with self.subTest(reader=engine.name, step=step):
                    read = engine.read(name, ["id", *(f"{first}.{column[2:]}" for column in columns)])
                    self.assertEqual(read, [(row[0], row[1] + 1, row[2] * 2) for row in rows])
            say(step)

        self.spark.rename_column(name, "s.x", "z")
        self.spark.rename_column(name, "l.element.x", "z")
        rows = [(1, 10, "a")]
        settle("Spark renames members", ["s.z", "s.y"], rows)
        self.trino.rows(f"INSERT INTO {self.trino.table(name)} VALUES (2, ROW(20, 'b'), ARRAY[ROW(21, 'bb')])")
        self.headrace_command("tables", "alter", name, "--rename", "s.y=x", "--rename", "l.y=x")
        rows.append((2, 20, "b"))
        settle("headrace gives them names that others had", ["s.z", "s.x"], rows)
        with self.pyiceberg.catalog.load_table(name).update_schema() as update:
            for path in ("s", "l.element"):
                update.rename_column(f"{path}.z", "y")
        self.duckdb.rows(f"INSERT INTO {self.duckdb.table(name)} VALUES (3, {{'y': 30, 'x': 'c'}}, "
                         "[{'y': 31, 'x': 'cc'}])")
        rows.append((3, 30, "c"))
        settle("pyiceberg has exchanged them", ["s.y", "s.x"], rows)
        self.optimize(name)
        settle("headrace optimizes", ["s.y", "s.x"], rows)

    def test_branches_stay_apart(self):
        self.create_namespace("branched")
        name = "branched.t"
        self.pyiceberg.create(name, COLUMNS)
        self.duckdb.insert(name, COLUMNS, [row(1)])
        self.spark.rows(f"ALTER TABLE {name} CREATE BRANCH draft")
        self.spark.rows(f"INSERT INTO {name}.branch_draft VALUES {self.spark.values([row(2)])}")
        self.trino.insert(name, COLUMNS, [row(3)])
        self.assert_all_read(name, ["id"], [(1,), (3,)])
        for engine in (self.headrace, self.spark, self.trino, self.pyiceberg):
            with self.subTest(reader=engine.name):
                self.assertEqual(engine.read(name, ["id"], "draft"), [(1,), (2,)])
        self.optimize(name)
        self.assertEqual(self.spark.read(name, ["id"], "draft"), [(1,), (2,)])
        self.spark.rows(f"ALTER TABLE {name} DROP BRANCH draft")
        self.assert_all_read(name, ["id"], [(1,), (3,)])

    def test_transactions_over_tables(self):
        self.create_namespace("pairs")
        for name in ("pairs.a", "pairs.b"):
            self.trino.create(name, {"id": "bigint"})
        self.duckdb.rows("BEGIN")
        self.duckdb.insert("pairs.a", ["id"], [(1,)])
        self.duckdb.insert("pairs.b", ["id"], [(2,)])
        self.assertEqual(self.headrace.read("pairs.a", ["id"]), [])
        self.duckdb.rows("COMMIT")
        self.assert_all_read("pairs.a", ["id"], [(1,)])
        self.assert_all_read("pairs.b", ["id"], [(2,)])

    def test_jobs_write_meanwhile(self):
        producer = Producer(self.server)
        producer.send(50)
        self.wait_until(lambda: {"events", "latest"} <= self.headrace.tables("silver"))
        producer.start()
        removed = set()
        outside = []
        try:
            for turn, writer in enumerate(self.writers):
                self.wait_until(lambda: len(self.headrace.read("silver.events", ["id"])) > turn * 100)
                self.commit()
                ids = [number for number, in self.headrace.read("silver.events", ["id"], "main")
                       if number < 1_000_000 and number not in removed][:3]
                self.again(lambda: writer.delete("silver.events", ids))
                removed.update(ids)
                rows = [(1_000_000 + turn, "outside", turn)]
                self.again(lambda: writer.insert("silver.events", ["id", "kind", "amount"], rows))
                outside += rows
                say(f"{writer.name} deletes from and adds to a job's table; {len(producer.sent)} events are sent")
                self.optimize("silver.events")
            self.again(lambda: self.spark.add_column("silver.events", "note", "varchar"))
            time.sleep(1)
        finally:
            sent = producer.stop()
        expected = [(event["id"], event["kind"], event["amount"]) for event in sent if event["id"] not in removed]
        self.wait_until(lambda: len(self.headrace.read("silver.events", ["id"])) == len(expected) + len(outside))
        self.commit()
        self.assert_all_read("silver.events", ["id", "kind", "amount"], expected + outside)
        latest = {}
        for event in sent:
            latest[event["id"] % 50] = (event["id"] % 50, event["id"], event["amount"])
        self.assert_all_read("silver.latest", ["slot", "id", "amount"], latest.values())
        say(f"all agree on {len(expected) + len(outside)} rows of silver.events, {len(latest)} of silver.latest")

    def commit(self):
        connection = self.server.connect()
        connection.request("POST", "/v1/commit", b"{}", {"Content-Type": "application/json"})
        connection.close()

    def again(self, change, tries=20):
        """Others may have committed in between; clients that do not retry by themselves are to load again."""
        for attempt in range(tries):
            try:
                change()
                return
            except Exception as error:
                if not is_conflict(error) or attempt == tries - 1:
                    raise
                time.sleep(random.uniform(0.05, 0.3))

    def wait_until(self, condition, timeout_s=120):
        deadline = time.monotonic() + timeout_s
        while not condition():
            self.assertLess(time.monotonic(), deadline, self.server.log_end())
            time.sleep(0.1)

    def test_changes_in_random_order(self):
        seed = int(os.environ.get("HEADRACE_INTEROP_SEED") or random.randrange(2**32))
        steps = int(os.environ.get("HEADRACE_INTEROP_STEPS") or 25)
        say(f"HEADRACE_INTEROP_SEED={seed} HEADRACE_INTEROP_STEPS={steps}")
        dice = random.Random(seed)
        self.create_namespace("mixed")
        name = "mixed.t"
        dice.choice(self.writers).create(name, COLUMNS, partition_by=dice.choice([None, "ts"]))
        ledger = Ledger(COLUMNS)
        for step in range(steps):
            writer = dice.choice(self.writers)
            numbers = dice.sample(range(60), dice.randint(1, 15))
            kind = dice.choice(["insert", "insert", "delete", "merge", "merge", "optimize"])
            with self.subTest(step=step, writer=writer.name, kind=kind, seed=seed):
                if kind == "insert":
                    rows = [row(i, step) for i in numbers if i not in ledger.ids()]
                    if rows:
                        writer.insert(name, COLUMNS, rows)
                    ledger.put(rows)
                elif kind == "delete":
                    writer.delete(name, numbers)
                    ledger.remove(numbers)
                elif kind == "merge":
                    rows = [row(i, step) for i in numbers]
                    writer.merge(name, COLUMNS, rows)
                    ledger.put(rows)
                else:
                    self.optimize(name)
                reader = dice.choice(self.engines)
                self.assertEqual(reader.read(name, ledger.columns), spelled_rows(ledger.rows()),
                                 f"{reader.name} reads after {writer.name} did {kind}")
        self.assert_all_read(name, ledger.columns, ledger.rows())
        say(f"all agree on {len(ledger.rows())} rows after {steps} changes")


def is_conflict(error):
    text = f"{type(error).__name__} {error}"
    return any(word in text for word in ("onflict", "CommitFailed", "Cannot commit", "Failed to commit", "409"))


if __name__ == "__main__":
    unittest.main(verbosity=2)
