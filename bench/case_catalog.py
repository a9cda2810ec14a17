"""Tables loaded and committed a second through the REST catalog, by 4 clients at once, against what the server's HTTP and the
disk give in the same run."""

import json
import os
import threading
import time

from measuring import close, require, say, scratch, server

CLIENTS = 4
TABLES = 16
SECONDS = float(os.environ.get("HEADRACE_CATALOG_SECONDS") or 10)
JSON = {"Content-Type": "application/json"}
NAMESPACES = "/iceberg/v1/namespaces"


def schema():
    fields = [{"id": i, "name": f"c{i}", "type": "long", "required": False} for i in range(1, 21)]
    return {"type": "struct", "fields": fields}


def at_once(headrace, work):
    """How many times a second all clients together do `work(connection, client, turn)`."""
    counts = [0] * CLIENTS
    failures = []
    end = time.perf_counter() + SECONDS

    def client(number):
        connection = headrace.connect()
        try:
            while time.perf_counter() < end:
                work(connection, number, counts[number])
                counts[number] += 1
        except Exception as error:  # told below
            failures.append(error)
        finally:
            connection.close()

    began = time.perf_counter()
    threads = [threading.Thread(target=client, args=(number,)) for number in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
    return sum(counts) / (time.perf_counter() - began), counts


def synced_files_a_second(folder, size):
    """Files of this size written and synced one after the other, each with its folder: what a commit does at least."""
    content = os.urandom(size)
    directory = os.open(folder, os.O_RDONLY)
    count = 0
    began = time.perf_counter()
    while time.perf_counter() - began < SECONDS / 2:
        with open(folder / f"file-{count}", "wb") as file:
            file.write(content)
            os.fsync(file.fileno())
        os.fsync(directory)
        count += 1
    os.close(directory)
    return count / (time.perf_counter() - began)


def run():
    with scratch() as folder, server("catalog", folder) as headrace:
        headrace.start()
        headrace.wait_until_ready()
        connection = headrace.connect()
        connection.request("POST", NAMESPACES, json.dumps({"namespace": ["bench"]}), JSON)
        tables = f"{NAMESPACES}/bench/tables"
        for number in range(TABLES):
            connection.request("POST", tables, json.dumps({"name": f"t{number}", "schema": schema()}), JSON)
        requests, _ = at_once(headrace, lambda client, number, turn: client.request("GET", "/healthz"))

        def load(client, number, turn):
            answer = client.request("GET", f"{tables}/t{(number + turn) % TABLES}")
            require("loaded", b'"metadata-location"' in answer, True)

        loads, _ = at_once(headrace, load)
        say(f"{loads:.0f} loads/s of {requests:.0f} requests/s")

        def commit(client, number, turn):
            update = {"updates": [{"action": "set-properties", "updates": {"turn": str(turn)}}]}
            client.request("POST", f"{tables}/t{number}", json.dumps(update), JSON)

        commits, counts = at_once(headrace, commit)
        for number, count in enumerate(counts):
            metadata = json.loads(connection.request("GET", f"{tables}/t{number}"))["metadata"]
            require(f"commits to t{number}", metadata["properties"]["turn"], str(count - 1))
        size = len(json.dumps(metadata))
        synced = synced_files_a_second(folder, size)
        say(f"{commits:.0f} commits/s; {synced:.0f} synced files/s of {size} bytes")
    close("catalog", loads, "loads/s", "answers/s of /healthz to the same clients", requests, loads / requests, 1,
          commits_per_s=commits, synced_files_per_s=synced, commits_to_synced_files=commits / synced)
    return True
