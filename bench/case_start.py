"""Time from exec to answering, and resident memory when idle."""

import subprocess
import time

from measuring import close, median, require, say, scratch, server

RUNS = 10
ALLOWED_MS = 150
ALLOWED_MIB = 80
IDLE_S = 2


def run_once(folder):
    with server("start", folder) as headrace:
        began = time.perf_counter()
        headrace.start()
        headrace.wait_until_ready()
        answering_ms = (time.perf_counter() - began) * 1000
        connection = headrace.connect()
        require("the first answer", connection.value("SELECT 41 + 1"), 42)
        query_ms = (time.perf_counter() - began) * 1000
        connection.close()
        time.sleep(IDLE_S)
        memory_mib = headrace.memory_bytes("VmRSS") / 2**20
        require("the exit code of a clean stop", headrace.stop(), 0)
    return answering_ms, query_ms, memory_mib


def exec_ms():
    """What starting any process costs here."""
    began = time.perf_counter()
    subprocess.run(["/bin/true"], check=True)
    return (time.perf_counter() - began) * 1000


def run():
    with scratch() as folder:
        run_once(folder)  # makes the state, and warms the page cache
        results = [run_once(folder) for _ in range(RUNS)]
    floor = median(exec_ms() for _ in range(RUNS))
    answering, query, memory = (median(figures) for figures in zip(*results))
    say(f"answers after {answering:.0f} ms, a query after {query:.0f} ms, idle {memory:.0f} MiB; "
        f"starting /bin/true takes {floor:.1f} ms")
    close("start", answering, "ms", "time allowed", ALLOWED_MS, answering / ALLOWED_MS, RUNS, first_query_ms=query,
          idle_mib=memory, idle_mib_allowed=ALLOWED_MIB, process_start_ms=floor)
    return answering <= ALLOWED_MS and memory <= ALLOWED_MIB
