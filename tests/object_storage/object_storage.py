#!/usr/bin/env python3
"""A project whose warehouse is in S3 (a real server, versitygw), reached through a network that fails on purpose. Events
go in while the server is killed and started again, and at the end every event is exactly once in bronze and silver, once
counted in gold, and the last of each key in the table with a primary key. Small files are merged and orphans removed.
Then pyiceberg and DuckDB read the same rows through the catalog, with the endpoint and the keys that it tells them, and
pyiceberg appends.

A seed decides the faults and the kills; what runs in between differs from run to run.
"""

import json
import os
import random
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "harness"))
sys.path.insert(0, str(HERE.parent / "iceberg_rest"))

import over_s3  # noqa: E402
import s3  # noqa: E402
from clients import duckdb_attached, pyiceberg  # noqa: E402
from server import RequestFailed, Server  # noqa: E402

SETTINGS = """name: objects
server: {listen: "127.0.0.1:${HEADRACE_PORT}"}
storage:
  path: "${HEADRACE_STATE}"
  warehouse: "${HEADRACE_TEST_WAREHOUSE}"
  cache_size: 16MiB
engine: {memory: 256MiB}
commit: {rows_bytes: 256KiB, interval: 300ms}
maintenance: {interval: 500ms}
"""
JOB = """batch: {records: 500, wait: 20ms}
nodes:
  events: {type: topic, topic: events}
  bronze: {type: table, input: events, table: bronze.events}
  parsed: {type: parse, input: events, format: json, fields: {id: bigint, key: varchar, amount: bigint}}
  silver: {type: table, input: parsed, table: silver.events, partition_by: ["bucket(2, key)"]}
  latest: {type: table, input: parsed, table: silver.latest, primary_key: [key], sequence_by: id}
  vectors: {type: table, input: parsed, table: silver.vectors, primary_key: [key], sequence_by: id, format_version: 3}
"""
VIEW = """-- table: gold.totals
SELECT key, count(*) AS events, sum(amount) AS amount
FROM silver.events
GROUP BY key
"""
KEYS = 7


class ObjectStorageTest:
    def __init__(self, arguments, seed, folder, endpoint):
        self._random = random.Random(seed)
        self._way = s3.FaultyWay(endpoint, self._random.random())
        os.environ["AWS_ENDPOINT_URL_S3"] = self._way.endpoint
        os.environ["HEADRACE_TEST_WAREHOUSE"] = "s3://lake/some/where"
        os.environ.update(s3.KEYS)
        self._arguments = arguments
        self._project = self._write_project(folder / "project")
        self._server = Server(arguments.binary, self._project, folder / "state", folder / "server.log")
        self._sent = 0

    @staticmethod
    def _write_project(project):
        for name, text in (("headrace.yaml", SETTINGS), ("jobs/events.yaml", JOB), ("views/totals.sql", VIEW),
                           ("topics/events.yaml", "partitions: 1\n")):
            path = project / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return project

    def run(self):
        try:
            self._refuses_what_is_wrong()
            self._way.share = self._arguments.faults / 100
            self._server.start()
            self._server.wait_until_ready()
            for number in range(self._arguments.rounds):
                self._send(self._random.randrange(500, 1500))
                time.sleep(self._random.uniform(0.1, 1.5))
                self._server.kill()
                self._server.start()
                self._server.wait_until_ready()
                print(f"round {number + 1}: {self._sent} events, {self._way.requests} requests, "
                      f"faults {self._way.faults}", flush=True)
            self._send(500)
            self._count()
            self._maintain()
            self._way.share = 0
            self._count()
            self._reads_from_cache()
            self._others()
            if self._server.stop() != 0:
                raise AssertionError(f"the server ended with an error:\n{self._server.log_end()}")
        finally:
            self._server.kill()
            self._way.close()

    def _refuses_what_is_wrong(self):
        wrong = {
            "there is no bucket nowhere": {"HEADRACE_TEST_WAREHOUSE": "s3://nowhere/x"},
            "the credentials are those of the environment (AWS_ACCESS_KEY_ID), access key test-key":
                {"AWS_SECRET_ACCESS_KEY": "not this"},
            "there are no credentials for S3": {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""},
        }
        for expected, environment in wrong.items():
            answer = subprocess.run(
                [self._server.binary, "serve", "--project", self._project], capture_output=True, text=True,
                env=self._server.environment() | environment, timeout=60, check=False)
            if answer.returncode == 0 or expected not in answer.stderr + answer.stdout:
                raise AssertionError(f"'{expected}' is not said: {answer.returncode} {answer.stdout} {answer.stderr}")
        check = subprocess.run(
            [self._server.binary, "check", "--project", self._project], capture_output=True, text=True,
            env=self._server.environment() | {"AWS_ENDPOINT_URL_S3": "http://127.0.0.1:1"}, check=False)
        if check.returncode != 0:
            raise AssertionError(f"check went to the network: {check.stdout} {check.stderr}")

    def _send(self, count):
        numbers = range(self._sent + 1, self._sent + count + 1)
        self._sent += count
        lines = "\n".join(json.dumps({"id": n, "key": f"k{n % KEYS}", "amount": n * 3}) for n in numbers)
        self._server.connect().request(
            "POST", "/v1/topics/events/records", lines, {"Content-Type": "application/x-ndjson"})

    def _expected(self):
        last = self._sent
        return {
            "SELECT count(*), count(DISTINCT _offset) FROM bronze.events": [last, last],
            "SELECT count(*), count(DISTINCT id), sum(amount)::BIGINT FROM silver.events":
                [last, last, 3 * last * (last + 1) // 2],
            "SELECT sum(events)::BIGINT, sum(amount)::BIGINT FROM gold.totals": [last, 3 * last * (last + 1) // 2],
            "SELECT count(*), min(id), max(id) FROM silver.latest": [KEYS, last - KEYS + 1, last],
            "SELECT count(*), min(id), max(id) FROM silver.vectors": [KEYS, last - KEYS + 1, last],
        }

    def _count(self):
        self._wait(lambda connection: connection.request("POST", "/v1/commit") and True, True)
        for sql, expected in self._expected().items():
            self._wait(lambda connection, sql=sql: connection.query(sql)[0], expected)

    def _wait(self, read, expected):
        deadline = time.monotonic() + 120
        found = None
        while found != expected:
            if time.monotonic() > deadline:
                raise AssertionError(f"{found}, not {expected}\n{self._server.log_end()}")
            try:
                found = read(self._server.connect())
            except RequestFailed as failure:
                found = str(failure)  # the table is not there yet
            time.sleep(0.05)

    def _maintain(self):
        connection = self._server.connect()
        connection.request("POST", "/v1/tables/silver/events/optimize", "{}", {"Content-Type": "application/json"})
        connection.request("POST", "/v1/tables/silver/events/expire",
                           json.dumps({"keep": 1, "older_than_ms": 0, "orphans_older_than_ms": 3_600_000}),
                           {"Content-Type": "application/json"})

    def _reads_from_cache(self):
        metrics = self._server.connect().request("GET", "/metrics").decode()
        figures = {line.split()[0]: float(line.split()[1]) for line in metrics.splitlines()
                   if line.startswith("headrace_objects_") and " " in line}
        for name in ("headrace_objects_retries_total", "headrace_objects_cache_hits_total",
                     "headrace_objects_sent_bytes_total", "headrace_objects_received_bytes_total"):
            if not figures.get(name):
                raise AssertionError(f"{name} is {figures.get(name)}")
        if figures["headrace_objects_cache_bytes"] > 17 * 1024 * 1024:
            raise AssertionError(f"the cache holds {figures['headrace_objects_cache_bytes']} bytes")
        print("figures:", {name: value for name, value in figures.items() if "requests" not in name})

    def _others(self):
        """The clients know the catalog alone; endpoint and keys come from it."""
        for name in [name for name in os.environ if name.startswith("AWS_")]:
            del os.environ[name]
        os.environ["AWS_EC2_METADATA_DISABLED"] = "true"
        catalog = pyiceberg(self._server.port, **{"py-io-impl": "pyiceberg.io.pyarrow.PyArrowFileIO"})
        table = catalog.load_table("silver.events")
        rows = table.scan().to_arrow()
        last = self._sent
        self._same("pyiceberg", [rows.num_rows, sum(rows["amount"].to_pylist())], [last, 3 * last * (last + 1) // 2])
        lake = duckdb_attached(self._server.port)
        self._same("DuckDB", list(lake.execute("SELECT count(*), sum(amount)::BIGINT FROM lake.silver.events").fetchone()),
                   [last, 3 * last * (last + 1) // 2])
        for name in ("silver.latest", "silver.vectors"):
            self._same(f"DuckDB, deletes of {name}",
                       list(lake.execute(f"SELECT count(*), min(id) FROM lake.{name}").fetchone()),
                       [KEYS, last - KEYS + 1])
        self._same("pyiceberg, deletion vectors", catalog.load_table("silver.vectors").scan().to_arrow().num_rows, KEYS)
        catalog.create_namespace("other")
        other = catalog.create_table("other.copy", schema=rows.schema)
        other.append(rows)
        self._wait(lambda connection: connection.value("SELECT sum(amount)::BIGINT FROM other.copy"),
                   3 * last * (last + 1) // 2)
        catalog.purge_table("other.copy")

    @staticmethod
    def _same(who, found, expected):
        if found != expected:
            raise AssertionError(f"{who} reads {found}, not {expected}")


if __name__ == "__main__":
    sys.exit(over_s3.main(__doc__, "objects", 5, ObjectStorageTest))
