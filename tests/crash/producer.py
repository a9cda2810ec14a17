"""A producer that sends numbered events and does not give up: after a crash it sends again what was not
acknowledged, under the same sequence, so that the server can tell it from new data."""

import http.client
import threading
import time

from events import event
from server import Connection, RequestFailed


class Numbers:
    """Hands out event numbers without a gap to all producers."""

    def __init__(self):
        self._lock = threading.Lock()
        self.last = 0

    def take(self, count):
        with self._lock:
            first = self.last + 1
            self.last += count
            return range(first, first + count)


class Producer(threading.Thread):
    """Sends batches until asked to stop; then ends as soon as its last batch is acknowledged."""

    def __init__(self, identity, server, numbers, random):
        super().__init__(name=f"producer {identity}", daemon=True)
        self._identity = identity
        self._server = server
        self._numbers = numbers
        self._random = random
        self._sequence = 0
        self._stopping = threading.Event()
        self.failure = None
        self.acknowledged = 0
        self.retries = 0

    def finish(self):
        self._stopping.set()

    def run(self):
        try:
            while not self._stopping.is_set():
                self._send(self._numbers.take(self._random.randint(1, 200)))
                # So that other tests beside it have processors, and the layers can follow.
                time.sleep(self._random.random() * 0.06)
        except Exception as failure:  # shown by the test, which looks at it after each round
            self.failure = failure

    def _send(self, batch):
        body = "".join(event(number) + "\n" for number in batch).encode()
        headers = {
            "Content-Type": "application/x-ndjson",
            "Headrace-Producer-Id": str(self._identity),
            "Headrace-Sequence": str(self._sequence),
        }
        deadline = time.monotonic() + 60
        while not self._try_once(body, headers):
            self.retries += 1
            if time.monotonic() > deadline:
                raise RuntimeError(f"no acknowledgement of {batch} within a minute")
            time.sleep(0.02)
        self._sequence += len(batch)
        self.acknowledged += len(batch)

    def _try_once(self, body, headers):
        connection = Connection(self._server.port, timeout_s=10)
        try:
            connection.request("POST", "/v1/topics/events/records?validate=false", body, headers)
            return True
        except RequestFailed as failure:
            if failure.status in (429, 503):
                return False
            raise
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()
