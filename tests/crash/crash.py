#!/usr/bin/env python3
"""Ends the server by SIGKILL at random instants under load, starts it again on the same state, and counts:
every acknowledged event is exactly once in the topic, in bronze, in silver or the dead letters, and in gold, and a table
with a primary key holds the last event of each key.

The instants come from a seed; the same seed repeats them. What the machine does in between differs from run to
run, so a failure is best looked at in the state that is kept of it.
"""

import argparse
import os
import random
import secrets
import shutil
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "harness"))
sys.path.insert(0, str(HERE))

from counts import Miscount, Topic, wait_until_counted  # noqa: E402
from producer import Numbers, Producer  # noqa: E402
from server import Server  # noqa: E402

PARTITIONS = 2


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", required=True, help="the headrace program")
    parser.add_argument("--rounds", type=int, default=int(os.environ.get("HEADRACE_CRASH_ROUNDS") or 30))
    parser.add_argument("--seed", type=int, default=None, help="default: a new one, which is printed")
    parser.add_argument("--producers", type=int, default=4)
    parser.add_argument("--count-every", type=int, default=3, help="rounds between two counts")
    return parser.parse_args()


class CrashTest:
    def __init__(self, arguments, seed, folder):
        self._random = random.Random(seed)
        self._server = Server(arguments.binary, HERE / "project", folder / "state", folder / "server.log")
        self._numbers = Numbers()
        self._topic = Topic(PARTITIONS)
        self._producers = [
            Producer(identity, self._server, self._numbers, random.Random(self._random.random()))
            for identity in range(1, arguments.producers + 1)
        ]
        self._rounds = arguments.rounds
        self._count_every = arguments.count_every

    def run(self):
        try:
            self._server.start()
            self._server.wait_until_ready()
            for producer in self._producers:
                producer.start()
            for number in range(1, self._rounds + 1):
                self._crash(number)
                if number % self._count_every == 0 and number != self._rounds:
                    self._count(number)
            for producer in self._producers:
                producer.finish()
            for producer in self._producers:
                producer.join(120)
            self._look_at_producers()
            self._count_all()
        finally:
            self._server.kill()

    def _crash(self, number):
        during_start = self._random.random() < 0.2
        delay_s = self._random.uniform(0.005, 0.3) if during_start else self._random.uniform(0.05, 3.0)
        if during_start:
            # One kill to have a start-up, and a second one while it is under way.
            self._server.kill()
            self._server.start()
        time.sleep(delay_s)
        if not self._server.is_running():
            raise RuntimeError(f"the server ended by itself:\n{self._server.log_end()}")
        self._server.kill()
        began = time.monotonic()
        self._server.start()
        self._server.wait_until_ready()
        where = "while starting" if during_start else "under load"
        print(f"round {number}: killed {where} after {delay_s * 1000:.0f} ms, "
              f"answers again after {(time.monotonic() - began) * 1000:.0f} ms, "
              f"{self._acknowledged()} events acknowledged", flush=True)
        self._look_at_producers()

    def _acknowledged(self):
        return sum(producer.acknowledged for producer in self._producers)

    def _look_at_producers(self):
        for producer in self._producers:
            if producer.failure:
                raise producer.failure

    def _count(self, number):
        """Counts while the load goes on: nothing may be twice, and what is in the topic may not jump."""
        connection = self._server.connect()
        self._topic.read_on(connection)
        for table, key in (("bronze.events", "_partition, _offset"), ("silver.events", "id"), ("silver.latest", "slot"),
                           ("silver.vectors", "slot"), ("silver.evolving", "id")):
            doubled = connection.value(f"SELECT count(*) - count(DISTINCT ({key})) FROM {table}")
            if doubled:
                raise Miscount(f"round {number}: {doubled} rows of {table} are double")
        connection.close()

    def _count_all(self):
        last = self._numbers.last
        if self._acknowledged() != last:
            raise Miscount(f"{last} events were sent, {self._acknowledged()} acknowledged")
        connection = self._server.connect()
        self._topic.read_on(connection)
        self._topic.check(last)
        wait_until_counted(connection, last, patience_s=120)
        # And the same once more from what a clean stop left behind.
        connection.close()
        code = self._server.stop()
        if code != 0:
            raise RuntimeError(f"a clean stop ended with {code}:\n{self._server.log_end()}")
        self._server.start()
        self._server.wait_until_ready()
        connection = self._server.connect()
        wait_until_counted(connection, last, patience_s=120)
        retries = sum(producer.retries for producer in self._producers)
        print(f"{last} events, each exactly once in every layer; {retries} requests were sent again")


def main():
    arguments = parse_arguments()
    seed = secrets.randbelow(10**9) if arguments.seed is None else arguments.seed
    folder = Path(tempfile.mkdtemp(prefix="headrace-crash-"))
    print(f"crash test: {arguments.rounds} rounds, seed {seed}", flush=True)
    try:
        CrashTest(arguments, seed, folder).run()
    except (Exception, KeyboardInterrupt) as failure:
        print(f"FAILED: {failure}")
        print(f"The state is kept in {folder}. Repeat it with: make crash ROUNDS={arguments.rounds} SEED={seed}")
        return 1
    shutil.rmtree(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
