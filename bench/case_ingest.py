"""Acknowledged and fsynced events per second over HTTP, 8 clients, batches of 1,000; against dd writing and
syncing the same bytes, as much at a time as the clients have under way."""

import json
import subprocess
import time

from measuring import TOOLS, click_events, close, json_of, median, require, say, scratch, server

CLIENTS = 8
BATCH = 1_000
EVENTS = 2_000_000
RUNS = 3


def run_headrace():
    with scratch() as folder, server("ingest", folder) as headrace:
        headrace.start()
        headrace.wait_until_ready()
        result = json_of([TOOLS / "load_ingest", headrace.port, "clicks", CLIENTS, EVENTS, BATCH])
        headrace.kill()
        # What was acknowledged must be there after the process was killed.
        headrace.start()
        headrace.wait_until_ready()
        topic = json.loads(headrace.connect().request("GET", "/v1/topics/clicks"))
        kept = sum(partition["end_offset"] - partition["start_offset"] for partition in topic["partitions"])
        require("records in the topic", kept, EVENTS)
        return result


def run_dd(total_bytes):
    """Seconds that dd takes for as many bytes."""
    block = total_bytes // EVENTS * BATCH * CLIENTS
    with scratch() as folder:
        began = time.perf_counter()
        subprocess.run(["dd", f"if={click_events()}", f"of={folder}/bytes", f"bs={block}", "oflag=dsync",
                        f"count={-(-total_bytes // block)}", "status=none"], check=True)
        return time.perf_counter() - began


def run():
    ours, limits, latencies = [], [], []
    for number in range(1, RUNS + 1):
        result = run_headrace()
        ours.append(EVENTS / result["seconds"])
        limits.append(EVENTS / run_dd(result["bytes"]))
        latencies.append((result["p50_ms"], result["p99_ms"]))
        say(f"run {number}: {ours[-1]:,.0f} events/s acknowledged, p50 {result['p50_ms']:.1f} ms, "
            f"p99 {result['p99_ms']:.1f} ms; dd {limits[-1]:,.0f} events/s")
    value, limit = median(ours), median(limits)
    close("ingest", value, "events/s", "dd oflag=dsync of the same bytes", limit, value / limit, RUNS,
          clients=CLIENTS, batch=BATCH, p50_ms=median(p50 for p50, _ in latencies),
          p99_ms=median(p99 for _, p99 in latencies))
    return True
