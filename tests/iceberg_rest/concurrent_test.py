"""Others commit to a table while a job writes it: nobody loses a row, none is there twice, in no layer."""

import threading
import unittest

import pyarrow as pa
from pyiceberg.exceptions import CommitFailedException, ValidationException
from pyiceberg.types import IntegerType

import clients
from fixture import ServerTest

OUTSIDE = 1_000_000  # ids from here on are not of the job


def rows(*ids):
    return pa.table({"id": pa.array(ids, pa.int64()), "key": pa.array(["outside"] * len(ids), pa.string()),
                     "amount": pa.array([0] * len(ids), pa.int64())})


class Producer(threading.Thread):
    """Sends events all the while."""

    def __init__(self, test):
        super().__init__()
        self._test = test
        self._over = threading.Event()
        self.failure = None

    def run(self):
        try:
            while not self._over.wait(0.02):
                self._test.ingest(40)
        except Exception as error:  # told by stop()
            self.failure = error

    def stop(self):
        self._over.set()
        self.join()
        if self.failure:
            raise self.failure


class ConcurrentTest(ServerTest):
    def setUp(self):
        self.ingest(1)
        self.wait_for("SELECT count(*) FROM silver.events WHERE id = 0", 1)
        self.request("POST", "/v1/commit", b"{}")
        self.catalog = clients.pyiceberg(self.server.port)

    def sql(self, text):
        # The producer has the fixture's connection for itself.
        connection = self.server.connect()
        try:
            return connection.query(text)
        finally:
            connection.close()

    def check_counts(self, outside):
        expected = self.next_id
        inside = f"FROM {{}} WHERE id < {OUTSIDE}"
        self.wait_for(f"SELECT count(*) {inside.format('silver.events')}", expected)
        self.request("POST", "/v1/commit", b"{}")
        for source in ("silver.events", "(SELECT * FROM silver.events)"):
            count, distinct = self.sql(f"SELECT count(*), count(DISTINCT id) {inside.format(source)}")[0]
            self.assertEqual((count, distinct), (expected, expected))
        self.assertEqual(self.sql("SELECT count(*) FROM bronze.events"), [[expected]])
        self.assertEqual(
            [row[0] for row in self.sql(f"SELECT id FROM silver.events WHERE id >= {OUTSIDE} ORDER BY id")], outside)
        read = self.catalog.load_table("silver.events").scan().to_arrow()
        self.assertEqual(sorted(read.column("id").to_pylist()), [*range(expected), *outside])

    def test_others_commit_while_the_job_writes(self):
        producer = Producer(self)
        producer.start()
        outside = []
        try:
            for number in range(25):
                table = self.catalog.load_table("silver.events")
                new = OUTSIDE + number
                table.append(rows(new))
                outside.append(new)
                # What was committed is seen at once, and every row once.
                seen = self.sql(f"SELECT count(*), count(DISTINCT id), count(*) FILTER (WHERE id = {new}) "
                                "FROM silver.events")[0]
                self.assertEqual(seen[0], seen[1])
                self.assertEqual(seen[2], 1)
                if number % 5 == 4:
                    gone = outside.pop(0)
                    self.delete(gone)
        finally:
            producer.stop()
        self.check_counts(outside)
        # A new life finds its positions under the snapshots of others.
        self.catalog.load_table("silver.events").append(rows(OUTSIDE + 1000))
        outside.append(OUTSIDE + 1000)
        self.request("POST", "/v1/jobs/flow/pause", b"{}")
        self.request("POST", "/v1/jobs/flow/resume", b"{}")
        self.ingest(10)
        self.check_counts(outside)
        self.assertEqual(self.sql("SELECT state FROM system.jobs"), [["running"]])

    def delete(self, identity):
        """A rewrite of files cannot be put on top of the job's commits, nor of a merge of the same files, which pyiceberg
        itself notices: it is tried until it is first."""
        for _ in range(50):
            try:
                self.catalog.load_table("silver.events").delete(f"id = {identity}")
                return
            except (CommitFailedException, ValidationException):
                continue
        self.fail("a delete lost against the job 50 times")

    def test_a_column_is_added_while_the_job_writes(self):
        with self.catalog.load_table("silver.events").update_schema() as update:
            update.add_column("note", IntegerType())
        before = self.next_id
        self.ingest(100)
        self.wait_for(f"SELECT count(*) FROM silver.events WHERE note IS NULL AND id < {OUTSIDE}", before + 100)
        self.request("POST", "/v1/commit", b"{}")
        self.assertEqual(self.sql(f"SELECT count(*) FROM silver.events WHERE id < {OUTSIDE}"), [[before + 100]])


if __name__ == "__main__":
    unittest.main()
