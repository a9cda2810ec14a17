#!/usr/bin/env python3
"""Reads Iceberg tables with pyiceberg and with DuckDB's own iceberg extension and checks that both agree.

    read_by_other_engines.py EXPECTATIONS.json

The file holds a list of {"metadata": path of a metadata file, "rows": int, "sums": {column: text},
"queries": [{"where": SQL for DuckDB, "filter": the same for pyiceberg, "rows": int,
"files": most data files that a scan may plan}]}. DuckDB's extensions are loaded from
HEADRACE_DUCKDB_EXTENSIONS (a directory with NAME.duckdb_extension).
"""

import json
import os
import pathlib
import sys

import duckdb
from pyiceberg.table import StaticTable

SOURCE_DIRECTORY = pathlib.Path(__file__).resolve().parent.parent
DEFAULT_EXTENSIONS = SOURCE_DIRECTORY / ".deps" / "duckdb" / "extensions"


def connect():
    directory = pathlib.Path(os.environ.get("HEADRACE_DUCKDB_EXTENSIONS") or DEFAULT_EXTENSIONS)
    connection = duckdb.connect()
    connection.execute("SET TimeZone='UTC'")
    for name in ("avro", "iceberg"):
        connection.execute(f"LOAD '{directory / name}.duckdb_extension'")
    return connection


def check(what, found, expected):
    if found != expected:
        raise AssertionError(f"{what}: found {found!r}, expected {expected!r}")


def check_by_duckdb(connection, case):
    source = f"iceberg_scan('{case['metadata']}')"
    check("DuckDB rows", connection.sql(f"SELECT count(*) FROM {source}").fetchone()[0], case["rows"])
    for column, total in case["sums"].items():
        text = connection.sql(f"SELECT sum({column})::VARCHAR FROM {source}").fetchone()[0]
        check(f"DuckDB sum of {column}", text, total)
    connection.sql(f"SELECT * FROM {source}").to_arrow_table()
    for query in case["queries"]:
        count = connection.sql(f"SELECT count(*) FROM {source} WHERE {query['where']}").fetchone()[0]
        check(f"DuckDB rows where {query['where']}", count, query["rows"])


def check_by_pyiceberg(case):
    table = StaticTable.from_metadata(case["metadata"])
    rows = table.scan().to_arrow()
    check("pyiceberg rows", rows.num_rows, case["rows"])
    for column, total in case["sums"].items():
        found = sum(value for value in rows.column(column).to_pylist() if value is not None)
        check(f"pyiceberg sum of {column}", str(found), total)
    for query in case["queries"]:
        scan = table.scan(row_filter=query["filter"])
        check(f"pyiceberg rows where {query['filter']}", scan.to_arrow().num_rows, query["rows"])
        planned = len(list(scan.plan_files()))
        if planned > query["files"]:
            raise AssertionError(f"where {query['filter']}: {planned} files planned, at most {query['files']} needed")


def main():
    connection = connect()
    for case in json.loads(pathlib.Path(sys.argv[1]).read_text()):
        try:
            check_by_duckdb(connection, case)
            check_by_pyiceberg(case)
        except Exception as error:
            raise SystemExit(f"{case['metadata']}: {type(error).__name__}: {error}")
    print("both agree")


if __name__ == "__main__":
    main()
