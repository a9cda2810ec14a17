"""The engines under test, connected to a headrace server's Iceberg REST catalog."""

import os
from pathlib import Path

import duckdb
from pyiceberg.catalog import load_catalog

SOURCE_DIRECTORY = Path(__file__).resolve().parent.parent.parent
DEFAULT_EXTENSIONS = SOURCE_DIRECTORY / ".deps" / "duckdb" / "extensions"


def catalog_url(port):
    return f"http://127.0.0.1:{port}/iceberg"


def pyiceberg(port, **properties):
    return load_catalog("headrace", type="rest", uri=catalog_url(port), **properties)


def duckdb_attached(port, name="lake"):
    """A DuckDB in which the catalog is attached under `name`."""
    directory = Path(os.environ.get("HEADRACE_DUCKDB_EXTENSIONS") or DEFAULT_EXTENSIONS)
    connection = duckdb.connect()
    connection.execute("SET TimeZone='UTC'")
    for extension in ("avro", "httpfs", "iceberg"):
        connection.execute(f"LOAD '{directory / extension}.duckdb_extension'")
    connection.execute(
        f"ATTACH 'warehouse' AS {name} (TYPE iceberg, ENDPOINT '{catalog_url(port)}', AUTHORIZATION_TYPE 'none')")
    return connection
