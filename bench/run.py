#!/usr/bin/env python3
"""Runs the cases: run.py [all | CASE…]

Each prints what it sees on the way and as its last line one JSON object; docs/performance.md says what it means.
"""

import sys
import time

import case_catalog
import case_commits
import case_flow
import case_freshness
import case_ingest
import case_scan
import case_start
import case_upsert
import case_view
from measuring import BINARY, TOOLS, machine, revision

CASES = {
    "flow": case_flow,
    "ingest": case_ingest,
    "freshness": case_freshness,
    "start": case_start,
    "commits": case_commits,
    "upsert": case_upsert,
    "view": case_view,
    "scan": case_scan,
    "catalog": case_catalog,
}


def main():
    names = sys.argv[1:] or ["all"]
    if names == ["all"]:
        names = list(CASES)
    unknown = [name for name in names if name not in CASES]
    if unknown:
        print(f"unknown case {unknown[0]}; the cases are: {', '.join(CASES)}", file=sys.stderr)
        return 64
    if not BINARY.exists() or not TOOLS.exists():
        print(f"{BINARY} or {TOOLS} is missing: run this by 'make bench'", file=sys.stderr)
        return 66
    print(f"{machine()}; revision {revision()}")
    missed = []
    for name in names:
        began = time.monotonic()
        print(f"{name}: {CASES[name].__doc__.strip()}", flush=True)
        if not CASES[name].run():
            missed.append(name)
        print(f"  took {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
    if missed:
        print(f"misses what it is to reach: {', '.join(missed)}", file=sys.stderr)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
