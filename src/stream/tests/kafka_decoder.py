"""Decodes a segment with kafka-python and prints each record as one line of JSON.

usage: kafka_decoder.py SEGMENT.log

kafka-python is Kafka's client for Python, written apart from headrace: what it reads, Kafka's
consumers read. Exits with 3 when a package is missing.
"""

import json
import sys

try:
    import lz4.frame  # noqa: F401  kafka-python takes it up when it is there
    import zstandard  # noqa: F401
    from kafka.record import MemoryRecords
except ImportError as missing:
    print(missing, file=sys.stderr)
    sys.exit(3)


def text(value):
    return None if value is None else value.decode("utf-8")


def main(path):
    with open(path, "rb") as file:
        batches = MemoryRecords(file.read())
    while batches.has_next():
        batch = batches.next_batch()
        if not batch.validate_crc():
            raise SystemExit(f"the checksum of the batch at offset {batch.base_offset} is wrong")
        for record in batch:
            print(
                json.dumps(
                    {
                        "offset": record.offset,
                        "timestamp": record.timestamp,
                        "key": text(record.key),
                        "value": text(record.value),
                        "headers": [[key, text(value)] for key, value in record.headers],
                        "producer": [batch.producer_id, batch.producer_epoch, batch.base_sequence],
                    }
                )
            )


main(sys.argv[1])
