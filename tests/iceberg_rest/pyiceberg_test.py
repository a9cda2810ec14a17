"""pyiceberg creates, writes, evolves, renames and drops tables through the catalog; headrace's SQL sees each step."""

import datetime
import unittest

import pyarrow as pa
from pyiceberg.exceptions import (
    BadRequestError,
    CommitFailedException,
    ForbiddenError,
    NamespaceAlreadyExistsError,
    NamespaceNotEmptyError,
    NoSuchNamespaceError,
    NoSuchTableError,
    TableAlreadyExistsError,
)
from pyiceberg.schema import Schema
from pyiceberg.types import IntegerType, LongType, NestedField, StringType, StructType, TimestamptzType

import clients
from fixture import RequestFailed, ServerTest

SCHEMA = Schema(
    NestedField(1, "id", LongType(), required=False),
    NestedField(2, "ts", TimestamptzType(), required=False),
    NestedField(3, "v", StringType(), required=False),
)


def rows(*ids):
    return pa.table({
        "id": pa.array(ids, pa.int64()),
        "ts": pa.array([datetime.datetime(2026, 1, 1 + i % 3, tzinfo=datetime.timezone.utc) for i in ids],
                       pa.timestamp("us", tz="UTC")),
        "v": pa.array([f"v{i}" for i in ids], pa.string()),
    })


class PyicebergTest(ServerTest):
    def setUp(self):
        self.catalog = clients.pyiceberg(self.server.port)
        self.namespace = f"py_{self._testMethodName.removeprefix('test_')}"
        self.catalog.create_namespace(self.namespace, {"owner": "tests"})
        self.name = f"{self.namespace}.t"

    def ids(self, table):
        return sorted(table.refresh().scan().to_arrow().column("id").to_pylist())

    def ids_in_sql(self, name=None):
        return [row[0] for row in self.sql(f"SELECT id FROM {name or self.name} ORDER BY id")]

    def test_namespaces(self):
        self.assertEqual(self.catalog.load_namespace_properties(self.namespace)["owner"], "tests")
        self.catalog.update_namespace_properties(self.namespace, {"owner"}, {"purpose": "none"})
        properties = self.catalog.load_namespace_properties(self.namespace)
        self.assertEqual((properties.get("owner"), properties["purpose"]), (None, "none"))
        self.assertIn((self.namespace,), self.catalog.list_namespaces())
        self.assertTrue(self.catalog.namespace_exists(self.namespace))
        with self.assertRaises(NamespaceAlreadyExistsError):
            self.catalog.create_namespace(self.namespace)
        self.catalog.create_table(self.name, SCHEMA)
        with self.assertRaises(NamespaceNotEmptyError):
            self.catalog.drop_namespace(self.namespace)
        self.catalog.drop_table(self.name)
        self.catalog.drop_namespace(self.namespace)
        self.assertFalse(self.catalog.namespace_exists(self.namespace))
        with self.assertRaises(NoSuchNamespaceError):
            self.catalog.drop_namespace(self.namespace)
        with self.assertRaises(NoSuchNamespaceError):
            self.catalog.list_tables("nowhere")

    def test_rows(self):
        table = self.catalog.create_table(self.name, SCHEMA)
        self.assertEqual(self.ids_in_sql(), [])
        table.append(rows(1, 2, 3, 4))
        self.assertEqual(self.ids_in_sql(), [1, 2, 3, 4])
        table.delete("id = 2")
        self.assertEqual(self.ids_in_sql(), [1, 3, 4])
        table.overwrite(rows(5), overwrite_filter="id = 3")
        self.assertEqual(self.ids_in_sql(), [1, 4, 5])
        self.assertEqual(self.ids(table), [1, 4, 5])
        table.overwrite(rows(7, 8))
        self.assertEqual(self.ids_in_sql(), [7, 8])
        self.assertEqual(self.ids(self.catalog.load_table(self.name)), [7, 8])

    def test_ids_are_fresh_and_nested(self):
        odd = Schema(
            NestedField(0, "a", LongType(), required=False),
            NestedField(7, "s", StructType(NestedField(9, "x", IntegerType(), required=False)), required=False),
            NestedField(3, "b", StringType(), required=False),
        )
        table = self.catalog.create_table(self.name, odd)
        fields = {field.name: field.field_id for field in table.schema().fields}
        self.assertEqual(fields, {"a": 1, "s": 2, "b": 3})
        self.assertEqual(table.schema().find_field("s.x").field_id, 4)
        self.sql(f"SELECT a, s.x, b FROM {self.name}")

    def test_evolution(self):
        table = self.catalog.create_table(self.name, SCHEMA)
        table.append(rows(1, 2))
        with table.update_schema() as update:
            update.add_column("extra", IntegerType())
            update.rename_column("v", "text")
        table.append(rows(3).rename_columns(["id", "ts", "text"]).append_column("extra", pa.array([30], pa.int32())))
        self.assertEqual(self.sql(f"SELECT id, text, extra FROM {self.name} ORDER BY id"),
                         [[1, "v1", None], [2, "v2", None], [3, "v3", 30]])
        with table.update_schema() as update:
            update.update_column("extra", LongType())
        self.assertEqual(self.sql(f"SELECT sum(extra)::BIGINT FROM {self.name}"), [[30]])
        with table.transaction() as transaction:
            transaction.set_properties({"owner": "tests"})
        self.assertEqual(self.catalog.load_table(self.name).properties["owner"], "tests")

    def test_branches_and_tags(self):
        table = self.catalog.create_table(self.name, SCHEMA)
        table.append(rows(1))
        first = table.current_snapshot().snapshot_id
        table.manage_snapshots().create_tag(first, "start").create_branch(first, "try").commit()
        table.append(rows(2), branch="try")
        self.assertEqual(self.ids_in_sql(), [1])
        table.append(rows(3))
        self.assertEqual(set(table.refresh().refs()), {"main", "start", "try"})
        self.assertEqual(self.ids(table), [1, 3])
        self.assertEqual(self.ids_in_sql(), [1, 3])

    def test_time_travel_in_sql(self):
        table = self.catalog.create_table(self.name, SCHEMA)
        table.append(rows(1, 2))
        first = table.current_snapshot().snapshot_id
        table.manage_snapshots().create_tag(first, "start", max_ref_age_ms=10**12).create_branch(first, "try").commit()
        table.append(rows(9), branch="try")
        table.delete("id = 1")
        with table.update_schema() as update:
            update.rename_column("v", "text")
        table.append(rows(3).rename_columns(["id", "ts", "text"]))

        def ids_at(version):
            return [row[0] for row in self.sql(f"SELECT id FROM {self.name} AT (VERSION => {version}) ORDER BY id")]

        self.assertEqual(self.ids_in_sql(), [2, 3])
        self.assertEqual(ids_at(first), [1, 2])
        self.assertEqual(ids_at("'start'"), [1, 2])
        self.assertEqual(ids_at("'try'"), [1, 2, 9])
        self.assertEqual(ids_at("'main'"), [2, 3])
        self.assertEqual(self.sql(f"SELECT v FROM {self.name} AT (VERSION => 'start') WHERE id = 1"), [["v1"]])
        self.assertEqual(self.sql(f"SELECT o.id, n.text FROM {self.name} o AT (VERSION => {first}) "
                                  f"JOIN {self.name} n ON o.id = n.id"), [[2, "v2"]])
        self.assertEqual(
            self.sql(f"SELECT name, type, max_ref_age_ms FROM system.refs WHERE \"table\" = '{self.name}' ORDER BY name"),
            [["main", "branch", None], ["start", "tag", 10**12], ["try", "branch", None]])
        with self.assertRaisesRegex(RequestFailed, "no branch or tag 'end'.*branch 'main', tag 'start', branch 'try'"):
            ids_at("'end'")

    def test_views_hide_the_same_columns_as_they_were(self):
        self.ingest(10)
        self.wait_for("SELECT sum(events)::BIGINT FROM gold.totals", self.next_id)
        self.request("POST", "/v1/commit", b"{}")
        now = self.sql("SELECT * FROM gold.totals ORDER BY ALL")
        self.wait_for("SELECT sum(events)::BIGINT FROM gold.totals AT (VERSION => 'main')", self.next_id)
        self.assertEqual(self.sql("SELECT * FROM gold.totals AT (VERSION => 'main') ORDER BY ALL"), now)

    def test_rename_and_drop(self):
        table = self.catalog.create_table(self.name, SCHEMA)
        table.append(rows(1))
        other = f"{self.namespace}.other"
        with self.assertRaises(TableAlreadyExistsError):
            self.catalog.create_table(self.name, SCHEMA)
        self.catalog.rename_table(self.name, other)
        self.assertEqual(self.catalog.list_tables(self.namespace), [(self.namespace, "other")])
        self.assertEqual(self.ids_in_sql(other), [1])
        fresh = self.catalog.create_table(self.name, SCHEMA)
        self.assertNotEqual(fresh.location(), table.location())
        self.catalog.purge_table(self.name)
        self.assertEqual(self.ids(self.catalog.load_table(other)), [1])
        with self.assertRaises(NoSuchTableError):
            self.catalog.load_table(self.name)
        location = self.catalog.load_table(other).metadata_location
        self.catalog.drop_table(other)
        self.assertFalse(self.catalog.table_exists(other))
        self.assertEqual(self.ids(self.catalog.register_table(other, location)), [1])

    def test_a_table_stays_in_the_warehouse(self):
        with self.assertRaises(BadRequestError):
            self.catalog.create_table(self.name, SCHEMA, location="file:///tmp/elsewhere")

    def test_appends_are_put_on_top_and_others_conflict(self):
        first = self.catalog.create_table(self.name, SCHEMA)
        second = self.catalog.load_table(self.name)
        first.append(rows(1, 2))
        second.append(rows(3))
        self.assertEqual(self.ids_in_sql(), [1, 2, 3])
        self.assertEqual(self.ids(first), [1, 2, 3])
        stale = self.catalog.load_table(self.name)
        first.append(rows(4))
        with self.assertRaises(CommitFailedException):
            with stale.update_schema() as update:
                update.add_column("x", IntegerType())
                first.update_schema().add_column("y", IntegerType()).commit()
        self.assertEqual(self.ids_in_sql(), [1, 2, 3, 4])

    def test_tables_of_jobs_and_views_are_guarded(self):
        self.ingest(10)
        self.wait_for("SELECT sum(events)::BIGINT FROM gold.totals", 10)
        self.request("POST", "/v1/commit", b"{}")
        for name in ("silver.events", "gold.totals"):
            with self.assertRaises(ForbiddenError):
                self.catalog.drop_table(name)
        with self.assertRaises(ForbiddenError):
            self.catalog.load_table("gold.totals").delete("events > 0")


if __name__ == "__main__":
    unittest.main()
