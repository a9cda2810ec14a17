"""What all cases share: where things are, the events they feed on, the machine, and the line that closes a case."""

import hashlib
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path

BENCH = Path(__file__).resolve().parent
ROOT = BENCH.parent
sys.path.insert(0, str(ROOT / "tests" / "harness"))

from server import Server  # noqa: E402

BUILD = Path(os.environ.get("HEADRACE_BUILD") or ROOT / "build" / "release")
BINARY = BUILD / "src" / "app" / "headrace"
TOOLS = BUILD / "bench"

EVENTS = 2_000_000
EVENTS_SHA256 = "71af16b3451f09faf8d94d7cc611e75706567d6f9cb5c34ec7613921bc34d724"


class WrongResult(Exception):
    """A case was fast, perhaps, but not right."""


def require(what, found, expected):
    if found != expected:
        raise WrongResult(f"{what}: found {found}, expected {expected}")


def say(text):
    print(f"  {text}", flush=True)


def sha256_of(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def click_events():
    """The file of 2,000,000 click events, written once and always the same."""
    path = ROOT / ".deps" / "data" / "click_events.ndjson"
    stamp = path.with_suffix(".sha256")
    if path.exists() and stamp.exists() and stamp.read_text() == EVENTS_SHA256:
        return path
    say(f"writing {EVENTS} click events to {path}")
    path.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run([TOOLS / "write_click_events", str(EVENTS), path, "0.01"], check=True)
    require("checksum of the click events", sha256_of(path), EVENTS_SHA256)
    stamp.write_text(EVENTS_SHA256)
    return path


@contextmanager
def scratch():
    """A folder on the disk that is measured, gone afterwards."""
    parent = Path(os.environ.get("HEADRACE_BENCH_FOLDER") or ROOT / "build")
    parent.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="bench-", dir=parent))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def server(case, folder):
    return Server(BINARY, BENCH / "projects" / case, folder / "state", folder / "server.log")


def json_of(command):
    """The last line that a command prints, as JSON."""
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"{command[0]} ended with {done.returncode}: {done.stderr.strip()}")
    return json.loads(done.stdout.strip().splitlines()[-1])


def machine():
    with open("/proc/cpuinfo", encoding="utf-8") as lines:
        model = next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), "?")
    with open("/proc/meminfo", encoding="utf-8") as lines:
        gibibytes = int(lines.readline().split()[1]) / 2**20
    return f"{model}, {os.cpu_count()} cores, {gibibytes:.0f} GiB, Linux {platform.release()}"


def revision():
    command = ["git", "-C", ROOT, "describe", "--always", "--dirty", "--abbrev=12"]
    return subprocess.run(command, capture_output=True, text=True).stdout.strip() or "unknown"


def close(case, value, unit, against, limit_value, ratio, runs, **more):
    """Prints the one line that programs read."""
    print(json.dumps({
        "case": case, "value": round(value, 4), "unit": unit, "ratio": round(ratio, 4), "against": against,
        "limit_value": round(limit_value, 4), "runs": runs, "checked": True,
        **{name: round(figure, 4) if isinstance(figure, float) else figure for name, figure in more.items()},
        "machine": machine(), "revision": revision(),
    }), flush=True)


median = statistics.median
