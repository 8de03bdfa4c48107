"""A workbook opened apart from the program: run as a script, it has its own limits of memory and processor time.

The bytes come on standard input, the sheets asked for as a JSON list of names and of positions among the visible ones;
out go one line of JSON (of all sheets the name, whether it is visible and whether it holds anything; of those asked for
size, columns and errors) and the sheets as Arrow streams. It knows no contract and imports nothing of the project, so
that it starts quickly.
"""

from __future__ import annotations

import json
import sys
from typing import Any

MAX_MEMORY = 4_000_000_000
MAX_PROCESSOR_SECONDS = 600


def read_cells(workbook: Any, name: str) -> tuple[Any, list[int], list[tuple[int, int, str]]]:
    """A sheet as text: an Arrow batch, the place of each of its columns (0 is A), and cells that hold a fault."""
    sheet = workbook.load_sheet(name, header_row=None, skip_rows=0, dtypes="string")
    places = [column.absolute_index for column in sheet.available_columns()]
    batch, faults = sheet.to_arrow_with_errors()
    found = [(e.offset_position[0], e.offset_position[1], e.detail) for e in faults.errors] if faults else []
    return batch, places, found


def limit(memory: int, seconds: int) -> None:
    """Limit this process. Where the system has no such limits (Windows), the caller's time limit remains."""
    try:
        import resource
    except ImportError:
        return
    for kind, most in ((resource.RLIMIT_AS, memory), (resource.RLIMIT_CPU, seconds)):
        hard = resource.getrlimit(kind)[1]
        resource.setrlimit(kind, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))


def main() -> None:
    """Read what is asked for, write it, leave."""
    limit(MAX_MEMORY, MAX_PROCESSOR_SECONDS)
    import fastexcel
    import pyarrow as pa

    workbook = fastexcel.read_excel(sys.stdin.buffer.read())
    sheets = []
    for name in workbook.sheet_names:
        sheet = workbook.load_sheet(name, header_row=None, n_rows=1, dtypes="string")
        sheets.append([name, sheet.visible == "visible", sheet.total_height > 0])
    streams, read = [], []
    seen = [name for name, is_visible, _ in sheets if is_visible] or workbook.sheet_names
    for wanted in json.loads(sys.argv[1]):
        if isinstance(wanted, int):
            wanted = seen[wanted - 1] if 1 <= wanted <= len(seen) else None
        if wanted not in workbook.sheet_names:
            continue
        batch, places, errors = read_cells(workbook, wanted)
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, batch.schema) as writer:
            writer.write_batch(batch)
        streams.append(sink.getvalue().to_pybytes())
        read.append([len(streams[-1]), places, errors])
    head = {"sheets": sheets, "read": read}
    sys.stdout.buffer.write(json.dumps(head).encode() + b"\n" + b"".join(streams))
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
