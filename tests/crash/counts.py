"""Counts every layer: each acknowledged event must be in it exactly once."""

import json
import re
import time

from events import BROKEN_EVERY, FIELDS, NEW_FIELD_EVERY, broken_up_to, cut_up_to

PAGE_RECORDS = 1000
NUMBER = re.compile(r'"id":(\d+)')


class Miscount(Exception):
    """An event is missing or double."""


class Topic:
    """What the topic holds, read on from where the last look ended."""

    def __init__(self, partitions):
        self._next = [0] * partitions
        self._numbers = set()

    def read_on(self, connection):
        """Up to where the topic ends now: under load its end can move away as fast as it is read."""
        ends = connection.query("SELECT partition, end_offset FROM system.partitions WHERE topic = 'events'")
        for partition, end in ends:
            while self._next[partition] < end:
                if self._read_page(connection, partition) == 0:
                    raise Miscount(f"partition {partition} ends at {end}, but has no record at {self._next[partition]}")

    def _read_page(self, connection, partition):
        path = f"/v1/topics/events/records?partition={partition}&offset={self._next[partition]}&limit={PAGE_RECORDS}"
        lines = connection.request("GET", path).splitlines()
        for line in lines:
            record = json.loads(line)
            if record["offset"] != self._next[partition]:
                raise Miscount(f"partition {partition} jumps to offset {record['offset']} from {self._next[partition]}")
            number = int(NUMBER.search(record["value"] if isinstance(record["value"], str)
                                       else json.dumps(record["value"], separators=(",", ":"))).group(1))
            if number in self._numbers:
                raise Miscount(f"event {number} is in the topic twice, again at {partition}:{record['offset']}")
            self._numbers.add(number)
            self._next[partition] += 1
        return len(lines)

    def check(self, last):
        missing = sorted(set(range(1, last + 1)) - self._numbers)
        if missing:
            raise Miscount(f"{len(missing)} acknowledged events are not in the topic: {missing[:10]} …")
        if len(self._numbers) != last:
            raise Miscount(f"the topic holds {len(self._numbers)} events, {last} were sent")


# Each gives (rows, distinct events, sum of the numbers) of a layer, and gold its rows alone.
LAYERS = {
    "bronze": r"""SELECT count(*), count(DISTINCT n), sum(n)::BIGINT
                  FROM (SELECT regexp_extract(value::VARCHAR, '"id":(\d+)', 1)::BIGINT AS n FROM bronze.events)""",
    "silver": "SELECT count(*), count(DISTINCT id), sum(id)::BIGINT FROM silver.events",
    "dead letters": """SELECT count(*), count(DISTINCT ("partition", "offset")), NULL
                       FROM system.dead_letters WHERE job = 'flow'""",
    "evolving": "SELECT count(*), count(DISTINCT id), sum(id)::BIGINT FROM silver.evolving",
    "dead letters of evolving": """SELECT count(*), count(DISTINCT ("partition", "offset")), NULL
                                   FROM system.dead_letters WHERE job = 'evolving'""",
    "gold": "SELECT sum(events)::BIGINT, sum(events)::BIGINT, NULL FROM gold.totals",
}
GOLD_DIFFERS = """
    SELECT count(*) FROM gold.totals AS g
    FULL JOIN (SELECT key, count(*) AS events, sum(amount) AS amount FROM silver.events GROUP BY key) AS s
      ON g.key = s.key
    WHERE g.events IS DISTINCT FROM s.events OR g.amount IS DISTINCT FROM s.amount"""

# Of each slot the last event, unless that deletes it; in a table of each format version.
LATEST_TABLES = ("silver.latest", "silver.vectors")
LATEST_DIFFERS = """
    SELECT count(*) FROM {table} AS l
    FULL JOIN (SELECT id % 5000 AS slot, max(id) AS id, arg_max(amount, id) AS amount FROM silver.events
               GROUP BY 1 HAVING arg_max(amount, id) % 7 <> 0) AS s ON l.slot = s.slot
    WHERE l.id IS DISTINCT FROM s.id OR l.amount IS DISTINCT FROM s.amount"""

# A field that came up later is empty before, and each came up once.
FIELD_DIFFERS = f"""
    SELECT count(*) FROM silver.evolving
    WHERE {{field}} IS DISTINCT FROM (CASE WHEN id // {NEW_FIELD_EVERY} % {FIELDS} = {{number}} THEN id END)"""
COLUMNS_ADDED_TWICE = """SELECT count(*) - count(DISTINCT "column") FROM system.schema_changes
                         WHERE "table" = 'silver.evolving' AND change = 'add'"""


def expected(last):
    """The same three figures as they must be when the events 1 … last were sent."""
    broken = broken_up_to(last)
    broken_sum = sum(range(7, last + 1, BROKEN_EVERY))
    cut = cut_up_to(last)
    cut_sum = sum(range(57, last + 1, 2 * BROKEN_EVERY))
    whole = last * (last + 1) // 2
    return {
        "bronze": (last, last, whole),
        "silver": (last - broken, last - broken, whole - broken_sum),
        "dead letters": (broken, broken, None),
        "evolving": (last - cut, last - cut, whole - cut_sum),
        "dead letters of evolving": (cut, cut, None),
        "gold": (last - broken, last - broken, None),
    }


def wait_until_level(connection, patience_s):
    """Waits until the job has read its topic: to count again and again meanwhile would take its processors.

    However long that takes on a slow machine; not for a job that stands still."""
    least = None
    since = time.monotonic()
    while time.monotonic() - since < patience_s:
        lag = sum(job["lag"] for job in json.loads(connection.request("GET", "/v1/jobs"))["jobs"])
        if lag == 0:
            return
        if least is None or lag < least:
            least, since = lag, time.monotonic()
        time.sleep(0.05)


def wait_until_counted(connection, last, patience_s):
    """Waits until every layer holds every event; too many of them fail at once."""
    wait_until_level(connection, patience_s)
    deadline = time.monotonic() + patience_s
    while True:
        found = {layer: tuple(value or 0 if i < 2 else value for i, value in enumerate(connection.query(sql)[0]))
                 for layer, sql in LAYERS.items()}
        behind = [layer for layer, figures in expected(last).items() if found[layer] != figures]
        for layer in behind:
            rows, distinct, _ = found[layer]
            if rows > expected(last)[layer][0] or rows != distinct:
                raise Miscount(f"{layer} has too much: {found[layer]}, expected {expected(last)[layer]}")
        if not behind:
            break
        if time.monotonic() > deadline:
            details = "; ".join(f"{layer}: {found[layer]}, expected {expected(last)[layer]}" for layer in behind)
            raise Miscount(f"after {patience_s} s (rows, distinct, sum of numbers) {details}")
        time.sleep(0.05)
    differing = connection.value(GOLD_DIFFERS)
    if differing:
        raise Miscount(f"{differing} groups of gold differ from silver")
    for table in LATEST_TABLES:
        differing = connection.value(LATEST_DIFFERS.format(table=table))
        if differing:
            raise Miscount(f"{differing} keys of {table} do not hold their last event")
    for number in range(min(last // NEW_FIELD_EVERY + 1, FIELDS)):
        for field in (f"f{number}", f"extra.f{number}"):
            differing = connection.value(FIELD_DIFFERS.format(field=field, number=number))
            if differing:
                raise Miscount(f"{differing} rows of silver.evolving have not their own {field}")
    doubled = connection.value(COLUMNS_ADDED_TWICE)
    if doubled:
        raise Miscount(f"{doubled} columns of silver.evolving were added twice, by system.schema_changes")
