"""A real S3 server (versitygw) for tests, started by scripts/s3; and a way to it that fails on purpose."""

import asyncio
import os
import random
import subprocess
import threading
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
KEYS = {"AWS_ACCESS_KEY_ID": "test-key", "AWS_SECRET_ACCESS_KEY": "test-secret", "AWS_REGION": "us-east-1"}
ERROR = "<?xml version='1.0'?><Error><Code>{code}</Code><Message>a fault, made on purpose</Message></Error>"


def start_s3(folder, *buckets):
    """The endpoint, or None when the server is not built (scripts/setup s3)."""
    answer = subprocess.run([ROOT / "scripts" / "s3", "start", folder, *buckets],
                            capture_output=True, text=True, check=False)
    return answer.stdout.strip() if answer.returncode == 0 else None


def stop_s3(folder):
    subprocess.run([ROOT / "scripts" / "s3", "stop", folder], check=False)


def forget_aws():
    """Nothing of the machine's own settings for AWS gets into a test."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    os.environ["AWS_EC2_METADATA_DISABLED"] = "true"
    os.environ["HOME"] = "/nonexistent"


class FaultyWay:
    """A proxy on loopback. Of the requests that pass, a share is answered 500 or 503 before or after the server did
    what was asked, has its answer torn or lost, or waits."""

    def __init__(self, endpoint, seed):
        self._host, port = endpoint.removeprefix("http://").split(":")
        self._port = int(port)
        self._random = random.Random(seed)
        self.share = 0.0
        self.away = False  # nothing passes
        self.faults = {}
        self.requests = 0
        self._started = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        self._started.wait()

    def close(self):
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        self._loop.run_until_complete(asyncio.sleep(0))

    def _run(self):
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(asyncio.start_server(self._serve, "127.0.0.1", 0))
        self.endpoint = "http://127.0.0.1:%d" % server.sockets[0].getsockname()[1]
        self._started.set()
        self._loop.run_forever()
        server.close()

    async def _serve(self, reader, writer):
        try:
            while await self._serve_one(reader, writer):
                pass
        except (asyncio.IncompleteReadError, ConnectionError, OSError):
            pass
        finally:
            writer.close()

    async def _serve_one(self, reader, writer):
        head = await reader.readuntil(b"\r\n\r\n")
        headers = self._headers(head)
        if headers.get("expect", "").lower() == "100-continue":
            writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        body = await self._read_body(reader, headers)
        self.requests += 1
        fault = self._choose()
        if fault in ("500", "503"):
            return await self._refuse(writer, fault)
        if fault == "unreached":
            return False
        if fault == "slow":
            await asyncio.sleep(self._random.uniform(0.3, 1.2))
        answer = await self._forward(head, body)
        if fault == "lost":
            return False
        if fault == "500 after":
            return await self._refuse(writer, "500")
        if fault == "torn":
            writer.write(answer[: max(1, len(answer) * 2 // 3)])
            await writer.drain()
            return False
        writer.write(answer)
        await writer.drain()
        return False  # the server's answer ends with its connection

    @staticmethod
    async def _read_body(reader, headers):
        """As it comes, with the lengths of chunks."""
        if headers.get("transfer-encoding", "").lower() != "chunked":
            return await reader.readexactly(int(headers.get("content-length", 0)))
        body = b""
        while True:
            length = await reader.readuntil(b"\r\n")
            size = int(length.split(b";")[0], 16)
            body += length + (await reader.readexactly(size + 2) if size else await reader.readuntil(b"\r\n"))
            if size == 0:
                return body

    def _choose(self):
        if self.away:
            return "503"
        if self._random.random() >= self.share:
            return None
        fault = self._random.choice(["500", "503", "unreached", "slow", "lost", "500 after", "torn"])
        self.faults[fault] = self.faults.get(fault, 0) + 1
        return fault

    async def _forward(self, head, body):
        reader, writer = await asyncio.open_connection(self._host, self._port)
        # Not among the headers that are signed.
        writer.write(head[:-2] + b"Connection: close\r\n\r\n" + body)
        await writer.drain()
        answer = await reader.read(-1)
        writer.close()
        while answer.startswith(b"HTTP/1.1 100"):
            answer = answer.split(b"\r\n\r\n", 1)[1]
        return answer

    @staticmethod
    async def _refuse(writer, status):
        reason, code = {"500": ("Internal Server Error", "InternalError"), "503": ("Slow Down", "SlowDown")}[status]
        body = ERROR.format(code=code).encode()
        writer.write(f"HTTP/1.1 {status} {reason}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode()
                     + body)
        await writer.drain()
        return False

    @staticmethod
    def _headers(head):
        lines = head.decode("latin-1").split("\r\n")[1:]
        return {line.split(":", 1)[0].lower(): line.split(":", 1)[1].strip() for line in lines if ":" in line}
