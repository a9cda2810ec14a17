"""A project as `headrace init` makes it, in a folder of its own, and the commands typed in it."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest
from contextlib import closing
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path.insert(0, str(HERE.parent / "harness"))

from server import Connection  # noqa: E402

BINARY = Path(os.environ.get("HEADRACE_BINARY", ROOT / "build/dev/src/app/headrace")).resolve()
PATIENCE_S = 60


class ProjectTest(unittest.TestCase):
    """Each test has a project shop/ of its own; what it starts is ended with it."""

    def setUp(self):
        self.folder = Path(tempfile.mkdtemp(prefix="headrace-program-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.project = self.folder / "shop"
        self.server = None
        self.addCleanup(self.kill)
        self.log = self.folder / "server.log"
        self.run_well("init", "shop", cwd=self.folder)

    def environment(self, **more):
        """Nothing of the caller's settings; the program on the path, as if it were installed."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("HEADRACE_")}
        return kept | {"PATH": f"{BINARY.parent}:{os.environ['PATH']}", "XDG_STATE_HOME": str(self.folder / "home"),
                       "TERM": "xterm"} | more

    def run_command(self, *arguments, cwd=None, stdin="", timeout_s=PATIENCE_S, **environment):
        return subprocess.run([BINARY, *map(str, arguments)], cwd=cwd or self.project, input=stdin,
                              capture_output=True, text=True, timeout=timeout_s, env=self.environment(**environment),
                              check=False)

    def run_well(self, *arguments, **options):
        """What a command that must go well prints."""
        done = self.run_command(*arguments, **options)
        self.assertEqual(done.returncode, 0, f"headrace {' '.join(map(str, arguments))}: {done.stdout}{done.stderr}")
        return done.stdout

    def run_json(self, *arguments, **options):
        return json.loads(self.run_well(*arguments, "--json", **options))

    def refused(self, exit_code, *arguments, **options):
        """What a command that must fail says on standard error."""
        done = self.run_command(*arguments, **options)
        self.assertEqual(done.returncode, exit_code, f"{arguments}: {done.stdout}{done.stderr}")
        self.assertNotEqual(done.stderr.strip(), "")
        return done.stderr

    def rows(self, sql):
        return [list(row.values()) for row in json.loads(self.run_well("sql", sql, "--format", "json"))]

    def serve(self, *arguments, **environment):
        with open(self.log, "ab") as log:
            self.server = subprocess.Popen([BINARY, "serve", "--listen", "127.0.0.1:0", *arguments],
                                           cwd=self.project, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                           env=self.environment(**environment))
        self.wait_for(lambda: (self.project / ".headrace/server.json").exists(), True)
        url = json.loads((self.project / ".headrace/server.json").read_text())["url"]
        self.port = int(url.rsplit(":", 1)[1])

    def get(self, path):
        with closing(Connection(self.port)) as connection:
            return json.loads(connection.request("GET", path))

    def post(self, path, body, content_type):
        with closing(Connection(self.port)) as connection:
            return json.loads(connection.request("POST", path, body, {"Content-Type": content_type}))

    def stop(self):
        """As Ctrl-C does; the exit code."""
        self.server.send_signal(signal.SIGINT)
        return self.server.wait(PATIENCE_S)

    def kill(self):
        if self.server is not None and self.server.poll() is None:
            self.server.kill()
            self.server.wait()

    def wait_for(self, look, expected):
        """Waits until look() gives what is expected."""
        deadline = time.monotonic() + PATIENCE_S
        while True:
            try:
                found = look()
            except (AssertionError, json.JSONDecodeError) as failure:  # not there yet
                found = failure
            if found == expected:
                return
            if time.monotonic() > deadline:
                log = self.log.read_text() if self.log.exists() else ""
                self.fail(f"{found!r}, not {expected!r}\n{log[-3000:]}")
            time.sleep(0.02)

    def wait_for_rows(self, sql, expected):
        self.wait_for(lambda: self.rows(sql), expected)

    def write(self, path, text):
        target = self.project / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
