"""The program of the process that dbt runs in: it loads dbt and reads the project, waits for a word, then builds.

`transform` starts it early, so that loading and reading go on while files are still being read, and gives the word
when the database is there. It is run by its path and imports nothing of ours; it decides nothing.
"""

from __future__ import annotations

import sys

GO = "build"


def main(arguments: list[str]) -> int:
    """Read the dbt project; on the word on standard input build it. dbt's exit codes: 0 good, 1 failures, 2 fault.

    `arguments` are dbt's own, given to both commands. When standard input ends without a word, nothing is built.
    """
    from dbt.cli.main import dbtRunner
    from dbt.contracts.graph.manifest import Manifest

    read = dbtRunner().invoke(["--quiet", "parse", *arguments])
    if not isinstance(read.result, Manifest):
        print(read.exception or "dbt gave no manifest")
        return 2
    if sys.stdin.readline().strip() != GO:
        return 0
    built = dbtRunner(manifest=read.result).invoke(["build", *arguments, "--exclude-resource-type", "unit_test"])
    return 0 if built.success else 2 if built.exception else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
