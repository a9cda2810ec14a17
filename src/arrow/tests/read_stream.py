"""Prints what pyarrow reads in an Arrow IPC stream: one line for each column."""

import sys

import pyarrow
import pyarrow.ipc

table = pyarrow.ipc.open_stream(sys.argv[1]).read_all()
table.validate(full=True)
for field in table.schema:
    values = table[field.name].to_pylist()
    if pyarrow.types.is_timestamp(field.type):
        values = [None if value is None else str(value) for value in values]
    print(f"{field.name}: {field.type} = {values}")
