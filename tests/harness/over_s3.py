"""The frame of tests over S3: their options, the server, and what is kept when one fails."""

import argparse
import secrets
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import s3

SKIPPED = 77


def main(description, name, rounds, make_test):
    """Runs make_test(arguments, seed, folder, endpoint).run(), and returns the exit code of the program."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", required=True, help="the headrace program")
    parser.add_argument("--rounds", type=int, default=rounds)
    parser.add_argument("--seed", type=int, default=None, help="default: a new one, which is printed")
    parser.add_argument("--faults", type=float, default=8, help="per cent of the requests")
    arguments = parser.parse_args()
    seed = secrets.randbits(32) if arguments.seed is None else arguments.seed
    s3.forget_aws()
    folder = Path(tempfile.mkdtemp(prefix=f"headrace-{name}-"))
    endpoint = s3.start_s3(folder / "s3", "lake")
    if endpoint is None:
        print("The S3 server is not built here; scripts/setup s3 builds it")
        shutil.rmtree(folder)
        return SKIPPED
    print(f"seed {seed}", flush=True)
    try:
        make_test(arguments, seed, folder, endpoint).run()
    except Exception:
        print(f"Failed with seed {seed}. What the server wrote is kept in {folder}", file=sys.stderr)
        raise
    finally:
        if sys.exc_info()[0] is None:
            s3.stop_s3(folder / "s3")
        else:
            subprocess.run(["kill", (folder / "s3" / "pid").read_text().strip()], check=False)
    shutil.rmtree(folder)
    print("Every event is exactly once in every table")
    return 0
