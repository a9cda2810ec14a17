"""The five engines by one face: each changes tables in its own dialect, and gives rows in one spelling, to be compared."""

import datetime
import decimal
import json

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.ipc
from pyiceberg.expressions import In
from pyiceberg.transforms import DayTransform
from pyiceberg.types import DoubleType, StringType

import clients


def spelled(value):
    """A value as all engines are to give it."""
    if isinstance(value, datetime.datetime):
        if value.tzinfo is not None:
            value = value.astimezone(datetime.timezone.utc).replace(tzinfo=None)
        return value.isoformat(timespec="microseconds")
    if isinstance(value, datetime.date):
        return value.isoformat()
    if isinstance(value, decimal.Decimal):
        return str(value)
    if isinstance(value, (list, tuple)):
        return tuple(spelled(item) for item in value)
    return value


def spelled_rows(rows):
    return sorted((tuple(spelled(value) for value in row) for row in rows), key=repr)


def rows_of(table):
    """Of an Arrow table."""
    return list(zip(*(column.to_pylist() for column in table.columns)))


class Reader:
    """Sees what the others have committed. Names of tables are namespace.table."""

    name = ""

    def rows(self, sql):
        """Of a statement in its own dialect."""
        raise NotImplementedError

    def table(self, name):
        """How a table is written in its SQL."""
        return name

    def at(self, name, version):
        """The same as of a snapshot's id or a tag."""
        raise NotImplementedError

    def read(self, name, columns, version=None):
        table = self.table(name) if version is None else self.at(name, version)
        return spelled_rows(self.rows(f"SELECT {', '.join(columns)} FROM {table}"))

    def tables(self, namespace):
        raise NotImplementedError


class Engine(Reader):
    """Changes tables, too, by SQL that differs in little."""

    types = {}  # what it calls types that it does not call as the tests do
    utc = ""    # behind a timestamp

    def type(self, name):
        return self.types.get(name, name)

    def literal(self, value):
        if value is None:
            return "NULL"
        if isinstance(value, datetime.datetime):
            return f"TIMESTAMP '{value:%Y-%m-%d %H:%M:%S}{self.utc}'"
        if isinstance(value, datetime.date):
            return f"DATE '{value.isoformat()}'"
        if isinstance(value, decimal.Decimal):
            return f"CAST({value} AS DECIMAL(12, 2))"
        if isinstance(value, str):
            return f"'{value}'"
        return str(value).lower()

    def values(self, rows):
        return ", ".join(f"({', '.join(map(self.literal, row))})" for row in rows)

    def create(self, name, columns, partition_by=None):
        listed = ", ".join(f"{column} {self.type(type_name)}" for column, type_name in columns.items())
        self.rows(f"CREATE TABLE {self.table(name)} ({listed}) {self.partitioned(partition_by)}")

    def partitioned(self, by):
        """The clause; `by` is the name of a timestamp's column, whose days are partitions."""
        raise NotImplementedError

    def insert(self, name, columns, rows):
        self.rows(f"INSERT INTO {self.table(name)} ({', '.join(columns)}) VALUES {self.values(rows)}")

    def delete(self, name, ids):
        self.rows(f"DELETE FROM {self.table(name)} WHERE id IN ({', '.join(map(str, ids))})")

    def merge(self, name, columns, rows):
        """Rows whose id is there take the place of those."""
        sets = ", ".join(f"{column} = s.{column}" for column in columns if column != "id")
        self.rows(f"MERGE INTO {self.table(name)} t USING ({self.source(columns, rows)}) s ON t.id = s.id "
                  f"WHEN MATCHED THEN UPDATE SET {sets} WHEN NOT MATCHED THEN INSERT ({', '.join(columns)}) "
                  f"VALUES ({', '.join('s.' + column for column in columns)})")

    def source(self, columns, rows):
        return f"SELECT * FROM (VALUES {self.values(rows)}) AS v({', '.join(columns)})"

    def add_column(self, name, column, type_name):
        self.rows(f"ALTER TABLE {self.table(name)} ADD COLUMN {column} {self.type(type_name)}")

    def rename_column(self, name, column, to):
        self.rows(f"ALTER TABLE {self.table(name)} RENAME COLUMN {column} TO {to}")

    def drop(self, name):
        self.rows(f"DROP TABLE {self.table(name)}")


class Headrace(Reader):
    name = "headrace"

    def __init__(self, server):
        self._connection = server.connect()

    def close(self):
        self._connection.close()

    def rows(self, sql):
        body = json.dumps({"sql": sql, "format": "arrow"})
        answer = self._connection.request("POST", "/v1/query", body, {"Content-Type": "application/json"})
        table = pa.ipc.open_stream(answer).read_all()
        return rows_of(table)

    def at(self, name, version):
        return f"{name} AT (VERSION => '{version}')"

    def tables(self, namespace):
        return {row[0] for row in self.rows(f"SELECT name FROM system.tables WHERE database = '{namespace}'")}


class Duckdb(Engine):
    name = "DuckDB"
    utc = "+00"
    types = {"timestamptz": "TIMESTAMPTZ", "double": "DOUBLE"}

    def __init__(self, server):
        self._server = server
        self._connection = clients.duckdb_attached(server.port)

    def rows(self, sql):
        return rows_of(self._connection.execute(sql).fetch_arrow_table())

    def table(self, name):
        return f"lake.{name}"

    def literal(self, value):
        text = super().literal(value)
        return text.replace("TIMESTAMP '", "TIMESTAMPTZ '") if isinstance(value, datetime.datetime) else text

    def partitioned(self, by):
        return f"PARTITIONED BY (day({by}))" if by else ""

    def at(self, name, version):
        return f"lake.{name} AT (VERSION => {version})"

    def tables(self, namespace):
        # What is attached keeps the names of tables that it has seen.
        with clients.duckdb_attached(self._server.port) as fresh:
            return {row[0] for row in fresh.execute(
                f"SELECT table_name FROM duckdb_tables() WHERE database_name = 'lake' AND schema_name = '{namespace}'"
            ).fetchall()}


class Spark(Engine):
    name = "Spark"
    types = {"varchar": "STRING", "timestamptz": "TIMESTAMP"}

    def __init__(self, session):
        self.session = session

    def rows(self, sql):
        return [tuple(row) for row in self.session.sql(sql).collect()]

    def partitioned(self, by):
        return f"USING iceberg PARTITIONED BY (days({by}))" if by else "USING iceberg"

    def at(self, name, version):
        return f"{name} VERSION AS OF '{version}'"

    def tables(self, namespace):
        return {row[1] for row in self.rows(f"SHOW TABLES IN {namespace}")}


class Trino(Engine):
    name = "Trino"
    utc = " UTC"
    types = {"timestamptz": "TIMESTAMP(6) WITH TIME ZONE"}

    def __init__(self, server):
        self._server = server

    def rows(self, sql):
        rows, types = self._server.rows(sql)
        return [tuple(self._value(value, type_name) for value, type_name in zip(row, types)) for row in rows]

    @staticmethod
    def _value(value, type_name):
        if value is None:
            return None
        if type_name.startswith("timestamp"):
            return datetime.datetime.fromisoformat(value.removesuffix(" UTC"))
        if type_name.startswith("decimal"):
            return decimal.Decimal(value)
        return value

    def partitioned(self, by):
        return f"WITH (partitioning = ARRAY['day({by})'])" if by else ""

    def at(self, name, version):
        return f"{name} FOR VERSION AS OF {version if isinstance(version, int) else repr(version)}"

    def tables(self, namespace):
        return {row[0] for row in self.rows(f"SHOW TABLES FROM {namespace}")}


class Pyiceberg(Engine):
    """Without SQL: rows come from scans and go in as Arrow tables."""

    name = "pyiceberg"
    arrow_types = {"bigint": pa.int64(), "varchar": pa.string(), "decimal(12,2)": pa.decimal128(12, 2),
                   "boolean": pa.bool_(), "date": pa.date32(), "double": pa.float64(),
                   "timestamptz": pa.timestamp("us", tz="UTC")}

    def __init__(self, server):
        self.catalog = clients.pyiceberg(server.port)

    def read(self, name, columns, version=None):
        table = self.catalog.load_table(name)
        if isinstance(version, str):
            version = table.refs()[version].snapshot_id
        outer = tuple(dict.fromkeys(column.split(".")[0] for column in columns))
        found = table.scan(selected_fields=outer, snapshot_id=version).to_arrow()
        read = [pc.struct_field(found[name], member) if member else found[name]
                for name, _, member in (column.partition(".") for column in columns)]
        return spelled_rows(zip(*(values.to_pylist() for values in read)))

    def tables(self, namespace):
        return {name for _, name in self.catalog.list_tables(namespace)}

    def create(self, name, columns, partition_by=None):
        schema = pa.schema([(column, self.arrow_types[type_name]) for column, type_name in columns.items()])
        table = self.catalog.create_table(name, schema)
        if partition_by:
            with table.update_spec() as update:
                update.add_field(partition_by, DayTransform(), f"{partition_by}_day")

    def _arrow(self, table, columns, rows):
        names = [field.name for field in table.schema().fields]
        schema = table.schema().as_arrow()
        by_name = {column: [row[i] for row in rows] for i, column in enumerate(columns)}
        return pa.table([pa.array(by_name.get(name, [None] * len(rows)), schema.field(name).type) for name in names],
                        schema=schema)

    def insert(self, name, columns, rows):
        table = self.catalog.load_table(name)
        table.append(self._arrow(table, columns, rows))

    def delete(self, name, ids):
        self.catalog.load_table(name).delete(In("id", ids))

    def merge(self, name, columns, rows):
        table = self.catalog.load_table(name)
        table.upsert(self._arrow(table, columns, rows), join_cols=["id"])

    def add_column(self, name, column, type_name):
        with self.catalog.load_table(name).update_schema() as update:
            update.add_column(column, {"double": DoubleType(), "varchar": StringType()}[type_name])

    def rename_column(self, name, column, to):
        with self.catalog.load_table(name).update_schema() as update:
            update.rename_column(column, to)

    def drop(self, name):
        self.catalog.drop_table(name)
