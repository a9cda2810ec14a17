"""A headrace server as tests and benchmarks drive it: started on a project, asked over HTTP, ended."""

import http.client
import json
import os
import signal
import socket
import subprocess
import time
from pathlib import Path


class RequestFailed(Exception):
    """The server answered with an error."""

    def __init__(self, status, body):
        super().__init__(f"{status}: {body.decode(errors='replace')[:500]}")
        self.status = status


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Connection:
    """One kept-alive connection; not to be shared between threads."""

    def __init__(self, port, timeout_s=120):
        self._http = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout_s)

    def request(self, method, path, body=None, headers=None):
        self._http.request(method, path, body=body, headers=headers or {})
        response = self._http.getresponse()
        answer = response.read()
        if response.status >= 300:
            raise RequestFailed(response.status, answer)
        return answer

    def query(self, sql):
        """The rows of a query, each a list."""
        body = json.dumps({"sql": sql})
        answer = json.loads(self.request("POST", "/v1/query", body, {"Content-Type": "application/json"}))
        if answer.get("error"):
            raise RequestFailed(200, json.dumps(answer["error"]).encode())
        return answer["rows"]

    def value(self, sql):
        """The one value of a query."""
        return self.query(sql)[0][0]

    def close(self):
        self._http.close()


class Server:
    """A project's settings name its port as ${HEADRACE_PORT} and its state as ${HEADRACE_STATE}."""

    def __init__(self, binary, project, state, log):
        self.binary = Path(binary).resolve()
        self.project = Path(project).resolve()
        self.state = Path(state).resolve()
        self.log = Path(log)
        self.port = free_port()
        self.process = None

    def environment(self):
        return os.environ | {"HEADRACE_PORT": str(self.port), "HEADRACE_STATE": str(self.state)}

    def start(self):
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [self.binary, "serve", "--project", self.project],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=self.environment())

    def is_ready(self):
        try:
            connection = Connection(self.port, timeout_s=5)
            connection.request("GET", "/healthz")
            connection.close()
            return True
        except (OSError, http.client.HTTPException, RequestFailed):
            return False

    def wait_until_ready(self, timeout_s=60):
        deadline = time.monotonic() + timeout_s
        while not self.is_ready():
            if self.process.poll() is not None:
                raise RuntimeError(f"the server ended with {self.process.returncode}:\n{self.log_end()}")
            if time.monotonic() > deadline:
                raise RuntimeError(f"the server did not answer within {timeout_s} s:\n{self.log_end()}")
            time.sleep(0.005)

    def log_end(self):
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-20:])

    def is_running(self):
        return self.process is not None and self.process.poll() is None

    def kill(self):
        """As a power failure of the process: SIGKILL."""
        if self.is_running():
            self.process.kill()
        if self.process is not None:
            self.process.wait()

    def stop(self, timeout_s=60):
        """As an operator: SIGTERM. Returns the exit code."""
        if self.is_running():
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout_s)

    def connect(self, timeout_s=120):
        return Connection(self.port, timeout_s)

    def memory_bytes(self, what="VmHWM"):
        """Resident memory: VmHWM is its peak, VmRSS what it is now."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        line = next(line for line in status.splitlines() if line.startswith(what + ":"))
        return int(line.split()[1]) * 1024

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kill()
