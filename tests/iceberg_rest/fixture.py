"""One server for the tests of a file, on a project with a job and a view."""

import json
import os
import sys
import tempfile
import time
import unittest
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "harness"))

from server import RequestFailed, Server  # noqa: E402


class ServerTest(unittest.TestCase):
    project = HERE / "project"

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="headrace-iceberg-rest-")
        folder = Path(cls.folder.name)
        cls.server = Server(os.environ["HEADRACE_BINARY"], cls.project, folder / "state", folder / "server.log")
        cls.server.start()
        cls.server.wait_until_ready()
        cls.connection = cls.server.connect()
        cls.next_id = 0

    @classmethod
    def tearDownClass(cls):
        cls.connection.close()
        try:
            if cls.server.stop() != 0:
                raise RuntimeError("the server did not stop well:\n" + cls.server.log_end())
        finally:
            cls.server.kill()
            cls.folder.cleanup()

    def request(self, method, path, body=None, content_type="application/json"):
        return self.connection.request(method, path, body, {"Content-Type": content_type})

    def sql(self, text):
        return self.connection.query(text)

    def ingest(self, count):
        """Events with ids that follow on from those before; returns the ids."""
        ids = range(self.next_id, self.next_id + count)
        type(self).next_id += count
        lines = "\n".join(json.dumps({"id": i, "key": f"k{i % 5}", "amount": i}) for i in ids)
        self.request("POST", "/v1/topics/events/records", lines.encode(), "application/x-ndjson")
        return ids

    def wait_for(self, sql, expected, timeout_s=60):
        """Waits until the query's one value is the one expected."""
        deadline = time.monotonic() + timeout_s
        found = None
        while time.monotonic() < deadline:
            try:
                found = self.sql(sql)[0][0]
            except RequestFailed as error:  # the table may not be there yet
                found = str(error)
            if found == expected:
                return
            time.sleep(0.02)
        self.fail(f"{sql}: {found!r}, not {expected!r}\n{self.server.log_end()}")
