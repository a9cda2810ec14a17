#!/usr/bin/env python3
"""A topic whose older segments go to S3 (a real server, versitygw), reached through a network that fails on purpose.
Events go in while the server is killed and started again; a job reads them, and later another one reads them all from
S3. Then the local log is lost: the topic comes back, no offset is given twice, and the job goes on. At the end every
event is exactly once in the tables.

A seed decides the faults and the kills; what runs in between differs from run to run.
"""

import json
import os
import random
import shutil
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "harness"))

import over_s3  # noqa: E402
import s3  # noqa: E402
from server import RequestFailed, Server  # noqa: E402

SETTINGS = """name: tiered
server: {listen: "127.0.0.1:${HEADRACE_PORT}"}
storage: {path: "${HEADRACE_STATE}"}
engine: {memory: 256MiB}
commit: {rows_bytes: 256KiB, interval: 300ms}
"""
TOPIC = """segment_bytes: 16KiB
compression: none
tiered_storage: {uri: s3://lake/topics, upload_interval: 1s, local_retention: {bytes: 0}}
"""
JOB = """batch: {records: 500, wait: 20ms}
nodes:
  events: {type: topic, topic: events}
  bronze: {type: table, input: events, table: bronze.%s}
"""


class TieredTopicsTest:
    def __init__(self, arguments, seed, folder, endpoint):
        self._random = random.Random(seed)
        self._way = s3.FaultyWay(endpoint, self._random.random())
        os.environ["AWS_ENDPOINT_URL_S3"] = self._way.endpoint
        os.environ.update(s3.KEYS)
        self._arguments = arguments
        self._project = folder / "project"
        for name, text in (("headrace.yaml", SETTINGS), ("topics/events.yaml", TOPIC),
                           ("jobs/first.yaml", JOB % "first")):
            self._write(name, text)
        self._server = Server(arguments.binary, self._project, folder / "state", folder / "server.log")
        self._sent = 0

    def _write(self, name, text):
        path = self._project / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def run(self):
        try:
            self._way.share = self._arguments.faults / 100
            self._start()
            for number in range(self._arguments.rounds):
                self._send(self._random.randrange(500, 1500))
                time.sleep(self._random.uniform(0.1, 2))
                self._server.kill()
                self._start()
                print(f"round {number + 1}: {self._sent} events, {self._way.requests} requests, "
                      f"faults {self._way.faults}", flush=True)
            self._count("first", self._sent)
            self._all_is_remote()
            self._reads_everything_again("second")
            self._an_away_store_is_told()
            self._loses_its_log()
            self._refuses_another_place()
            if self._server.stop() != 0:
                raise AssertionError(f"the server ended with an error:\n{self._server.log_end()}")
        finally:
            self._server.kill()
            self._way.close()

    def _start(self):
        self._server.start()
        self._server.wait_until_ready()

    def _send(self, count):
        connection = self._server.connect()
        for first in range(self._sent + 1, self._sent + count + 1, 100):
            numbers = range(first, min(first + 100, self._sent + count + 1))
            lines = "\n".join(json.dumps({"id": n, "text": f"event {n}"}) for n in numbers)
            connection.request("POST", "/v1/topics/events/records", lines, {"Content-Type": "application/x-ndjson"})
        self._sent += count

    def _count(self, table, last):
        sql = f"""SELECT count(*), count(DISTINCT _offset), count(DISTINCT value->>'id'), sum((value->>'id')::BIGINT)::BIGINT
            FROM bronze.{table}"""
        self._wait(lambda connection: connection.query(sql)[0], [last, last, last, last * (last + 1) // 2])

    def _wait(self, read, expected):
        """Until what is read is the same, or meets the condition."""
        deadline = time.monotonic() + 120
        found = None
        meets = expected if callable(expected) else lambda value: value == expected
        while found is None or not meets(found):
            if time.monotonic() > deadline:
                raise AssertionError(f"{found}, not {expected}\n{self._server.log_end()}")
            try:
                found = read(self._server.connect())
            except RequestFailed as failure:
                found = str(failure)  # the table is not there yet
            time.sleep(0.05)

    def _all_is_remote(self):
        """After the interval nothing waits any more, and all that is finished is in S3 alone."""
        self._wait(lambda connection: connection.query(
            "SELECT count(*) FILTER (is_local), count(*) FILTER (uri IS NOT NULL) > 5 FROM system.segments"), [[1, True]])
        self._wait(lambda connection: connection.query(
            "SELECT upload_lag_segments, upload_problem, remote_bytes > 10000, refuses_appends FROM system.partitions"),
            [[0, None, True, None]])
        metrics = self._server.connect().request("GET", "/metrics").decode()
        for name in ("headrace_topic_uploaded_segments_total", "headrace_topic_remote_bytes"):
            if not any(line.startswith(name) for line in metrics.splitlines()):
                raise AssertionError(f"{name} is not in the metrics")

    def _reads_everything_again(self, name):
        self._write(f"jobs/{name}.yaml", JOB % name)
        self._count(name, self._sent)

    def _an_away_store_is_told(self):
        self._way.away = True
        self._send(300)
        self._wait(lambda connection: json.loads(connection.request("GET", "/v1/status"))["problems"],
                   lambda problems: any("wait to be uploaded" in problem["message"] for problem in problems))
        self._count("first", self._sent)  # nothing else is hindered
        self._way.away = False
        self._all_is_remote()

    def _loses_its_log(self):
        """All that was acknowledged is in bronze, or in S3, or both."""
        self._send(400)
        self._count("first", self._sent)
        self._wait(lambda connection: connection.request("POST", "/v1/commit") and True, True)
        before = self._server.connect().value("SELECT max(_offset) FROM bronze.first")
        self._server.kill()
        shutil.rmtree(self._server.state / "streams")
        self._start()
        end = self._server.connect().value("SELECT end_offset FROM system.partitions")
        if end != before + 1:
            raise AssertionError(f"the topic goes on at {end}, and {before} was read")
        self._wait(lambda connection: json.loads(connection.request("GET", "/v1/status"))["problems"],
                   lambda problems: any("came back from" in problem["message"] for problem in problems))
        self._send(600)
        self._count("first", self._sent)
        uploaded = self._server.connect().value("SELECT count(*) FROM headrace_topic('events', '[[0,null]]')")
        if uploaded < self._sent - 400:
            raise AssertionError(f"the topic has {uploaded} records of {self._sent}")
        print(f"the topic came back with {uploaded} of {self._sent} records", flush=True)

    def _refuses_another_place(self):
        self._write("topics/events.yaml", TOPIC.replace("lake/topics", "lake/elsewhere"))
        self._wait(lambda connection: json.loads(connection.request("GET", "/v1/status"))["problems"],
                   lambda problems: any("Keep tiered_storage.uri" in problem["message"] for problem in problems))
        self._write("topics/events.yaml", TOPIC)
        shown = subprocess.run([self._server.binary, "topics", "--project", self._project], capture_output=True,
                               text=True, env=self._server.environment(), check=True).stdout
        if "remote" not in shown:
            raise AssertionError(shown)
        print(shown)


if __name__ == "__main__":
    sys.exit(over_s3.main(__doc__, "tiered", 4, TieredTopicsTest))
