"""A headrace server, and Spark, Trino, pyiceberg and DuckDB on its catalog, all at once."""

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
import unittest
from pathlib import Path

HERE = Path(__file__).resolve().parent
for folder in ("harness", "iceberg_rest"):
    sys.path.insert(0, str(HERE.parent / folder))
os.environ["TZ"] = "UTC"  # Spark gives times of the machine's zone
time.tzset()

import clients  # noqa: E402
from server import RequestFailed, Server  # noqa: E402

import engines  # noqa: E402
import spark_session  # noqa: E402
from trino_server import TrinoServer  # noqa: E402


def say(text):
    print(f"  {text}", flush=True)


class EnginesTest(unittest.TestCase):
    maxDiff = 4000
    with_trino = True

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="headrace-interop-")
        cls.addClassCleanup(cls.folder.cleanup)
        folder = Path(cls.folder.name)
        cls.server = Server(os.environ["HEADRACE_BINARY"], HERE / "project", folder / "state", folder / "server.log")
        cls.server.start()
        cls.addClassCleanup(cls.server.kill)
        cls.server.wait_until_ready()
        uri = clients.catalog_url(cls.server.port)
        began = time.monotonic()
        if cls.with_trino:
            cls.trino_server = TrinoServer(folder / "trino", uri)  # starts while Spark does
            cls.addClassCleanup(cls.trino_server.stop)
        session = spark_session.start(folder / "spark", uri)
        cls.addClassCleanup(session.stop)
        if cls.with_trino:
            cls.trino_server.wait_until_ready()
        say(f"Spark {session.version}{' and Trino are' if cls.with_trino else ' is'} there after "
            f"{time.monotonic() - began:.0f} s")
        cls.headrace = engines.Headrace(cls.server)
        cls.addClassCleanup(cls.headrace.close)
        cls.spark = engines.Spark(session)
        if cls.with_trino:
            cls.trino = engines.Trino(cls.trino_server)
        cls.duckdb = engines.Duckdb(cls.server)
        cls.pyiceberg = engines.Pyiceberg(cls.server)
        cls.writers = [cls.spark, *([cls.trino] if cls.with_trino else []), cls.pyiceberg, cls.duckdb]
        cls.engines = [cls.headrace, *cls.writers]

    def assert_all_read(self, name, columns, expected, version=None):
        """Every engine gives these rows."""
        wanted = engines.spelled_rows(expected)
        for engine in self.engines:
            with self.subTest(reader=engine.name, table=name, version=version):
                self.assertEqual(engine.read(name, columns, version), wanted)

    def headrace_command(self, *arguments):
        """The command line, on the running server."""
        return subprocess.run([self.server.binary, *arguments, "--project", self.server.project], check=True,
                              capture_output=True, text=True, env=self.server.environment()).stdout

    def optimize(self, name):
        self.headrace_command("tables", "optimize", name)

    def current_snapshot(self, name):
        return self.pyiceberg.catalog.load_table(name).current_snapshot().snapshot_id


class Producer(threading.Thread):
    """Sends events to the topic, all the while, on a connection of its own."""

    def __init__(self, server):
        super().__init__()
        self._connection = server.connect()
        self._over = threading.Event()
        self._failure = None
        self.sent = []

    def send(self, count):
        ids = range(len(self.sent), len(self.sent) + count)
        events = [{"id": i, "kind": f"k{i % 7}", "amount": i * 3 % 1000} for i in ids]
        body = "\n".join(map(json.dumps, events)).encode()
        self._connection.request("POST", "/v1/topics/events/records", body, {"Content-Type": "application/x-ndjson"})
        self.sent += events

    def run(self):
        try:
            while not self._over.wait(0.05):
                self.send(25)
        except (OSError, RequestFailed) as error:  # told by stop()
            self._failure = error

    def stop(self):
        """All that was sent."""
        self._over.set()
        self.join()
        self._connection.close()
        if self._failure:
            raise self._failure
        return self.sent
