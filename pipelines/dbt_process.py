"""The program of the process that dbt runs in: it loads dbt and reads the project, waits for a word, then builds.

`transform` starts it early, so that loading and reading go on while files are still being read, and gives the word
when the database is there. It is run by its path and imports nothing of ours; it decides nothing.
"""

from __future__ import annotations

import contextlib
import gc
import os
import sys
from pathlib import Path
from typing import Any

GO = "build"
MANIFEST = "manifest"


def main(parsed: Path, arguments: list[str]) -> int:
    """Read the dbt project and do what the word on standard input says: build it, or write down its manifest.

    `parsed` is where the project as dbt parsed it is kept: its name stands for everything that goes into it, so a
    file of that name spares the parsing. `arguments` are dbt's own, given to every command. When standard input ends
    without a word, nothing more is done. Exit codes are dbt's: 0 good, 1 failures, 2 fault.
    """
    # Modules and manifest live as long as the process: searching them for garbage takes a twentieth of its time.
    gc.disable()
    from dbt.cli.main import dbtRunner

    _say_only_what_is_printed()
    manifest = _kept(parsed)
    if manifest is None:
        # A build writes the manifest when all is compiled: writing it here as well would take a second.
        read = dbtRunner().invoke(["--quiet", "parse", "--no-write-json", *arguments])
        if not read.success:
            print(read.exception or "dbt gave no manifest")
            return 2
        manifest = read.result
        _keep(parsed, manifest)
    gc.freeze()
    # Most of what a build makes is gone by itself: a look through it every 700 objects takes a twentieth of dbt's time.
    gc.set_threshold(100_000, 50, 100)
    gc.enable()
    word = sys.stdin.readline().strip()
    if word == MANIFEST:
        # Given the manifest, dbt only takes up its options; without them it cannot write.
        dbtRunner(manifest=manifest).invoke(["--quiet", "parse", "--no-write-json", *arguments])
        manifest.write(str(Path(arguments[arguments.index("--target-path") + 1]) / "manifest.json"))
    if word != GO:
        return 0
    built = dbtRunner(manifest=manifest).invoke(["build", *arguments, "--exclude-resource-type", "unit_test"])
    gc.unfreeze()  # what is left uncollected at the end is told as a leak by the libraries
    return 0 if built.success else 2 if built.exception else 1


def _say_only_what_is_printed() -> None:
    """Drop dbt's events for debugging: it writes a message for each before it asks whether anybody wants to see it.

    They are a dozen for every model and check, with its whole SQL in some; nothing that is printed is among them.
    """
    from dbt_common.events.base_types import BaseEvent, EventLevel
    from dbt_common.events.event_manager import EventManager
    from dbt_common.events.event_manager_client import ctx_set_event_manager

    class Printed(EventManager):
        def fire_event(self, e: BaseEvent, level: EventLevel | None = None, *arguments: Any, **named: Any) -> None:
            if (level or e.level_tag()) != EventLevel.DEBUG:
                super().fire_event(e, level, *arguments, **named)

    ctx_set_event_manager(Printed())


def _kept(parsed: Path) -> Any:
    """The manifest that was kept there, None when there is none or dbt cannot read it any more."""
    try:
        from dbt.contracts.graph.manifest import Manifest
        from dbt.parser.manifest import extended_mashumuro_decoder

        return Manifest.from_msgpack(parsed.read_bytes(), decoder=extended_mashumuro_decoder)
    except Exception:
        return None


def _keep(parsed: Path, manifest: Any) -> None:
    """Keep the manifest for the next process; where nothing can be written, each parses for itself."""
    temporary = parsed.with_name(f".{parsed.name}.{os.getpid()}")
    with contextlib.suppress(OSError):
        parsed.parent.mkdir(exist_ok=True)
        temporary.write_bytes(manifest.to_msgpack())
        for older in parsed.parent.glob(f"*{parsed.suffix}"):
            older.unlink(missing_ok=True)
        temporary.replace(parsed)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2:]))
