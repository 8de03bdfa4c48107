"""What ends the process that reads files ends nothing else, is told with its reason, and the next job is done."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import poison
import pytest

from pipelines import errors
from pipelines.errors import ConfigurationError
from pipelines.settings import PROJECT_FOLDER, WorkLimits
from pipelines.worker import WorkDiedError, Worker

pytestmark = pytest.mark.usefixtures("cold_processes")

LIMITS = WorkLimits(memory="1GB", seconds=2, patience=3)
QUICK = WorkLimits(memory="1GB", seconds=1, patience=1)


@pytest.fixture(scope="module")
def shared() -> Iterator[Worker]:
    with Worker(LIMITS) as worker:
        yield worker


def died(worker: Worker, function: Callable[..., Any], *arguments: Any) -> WorkDiedError:
    with pytest.raises(WorkDiedError) as error:
        worker.call(function, *arguments)
    assert error.value.do
    assert poison.SECRET not in f"{error.value.reason} {error.value.do} {error.value}"
    return error.value


@pytest.mark.parametrize("value", [None, 1, 0.5, "字", [], {"a": [1, {"b": None}]}, "x" * 5_000_000, "\udc80"])
def test_a_result_comes_back_as_it_is(shared: Worker, value: object) -> None:
    assert shared.call(poison.plain, value) == value


def test_dates_come_back_as_text(shared: Worker) -> None:
    assert shared.call(poison.a_date) == {"on": "2020-02-29", "text": "字"}


@pytest.mark.parametrize("kind", ["configuration", "fault", "unreadable"])
def test_an_error_of_ours_comes_back_whole_and_ends_nothing(shared: Worker, kind: str) -> None:
    before = shared.call(poison.process)
    with pytest.raises(errors.JunhengError) as error:
        shared.call(poison.refuse, kind)
    assert (error.value.code, error.value.message, error.value.where, error.value.do) == (kind, "what", "where", "do")
    assert shared.call(poison.process) == before != os.getpid()


def test_what_is_printed_disturbs_no_answer_and_is_not_shown(shared: Worker, capfd: pytest.CaptureFixture[str]) -> None:
    assert shared.call(poison.print_much) == "done"
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_what_is_written_is_for_its_owner_only_whatever_the_mask(tmp_path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        with Worker(LIMITS) as worker:
            worker.call(poison.write, tmp_path / "file")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "file").stat().st_mode) == 0o600


ENDS = {
    poison.memory_by_python: ("it needs more than 1GB of memory", True),
    poison.memory_little_by_little: ("it needs more than 1GB of memory", True),
    poison.memory_by_polars: ("it needs more than 1GB of memory", True),
    poison.memory_by_arrow: ("it needs more than 1GB of memory", True),
    poison.memory_by_duckdb: ("it needs more than 1GB of memory", True),
    poison.memory_by_a_sheet: ("it needs more than 1GB of memory", True),
    poison.kill: ("its reader was ended by SIGKILL", False),
    poison.leave: ("its reader was ended by code 3", False),
    poison.say_goodbye: ("its reader failed: SystemExit", False),
    poison.no_such_address: ("its reader was ended by SIGSEGV", False),
    poison.stack_without_end: ("its reader was ended by SIGSEGV", False),
    poison.recursion_without_end: ("its reader failed: RecursionError", False),
    poison.fault: ("its reader failed: KeyError", False),
    poison.panic: ("its reader failed: BaseException", False),
}


@pytest.mark.parametrize("function", ENDS, ids=lambda function: function.__name__)
def test_each_end_is_told_with_its_reason_and_the_next_job_is_done(shared: Worker, function: Any) -> None:
    before = shared.call(poison.process)
    error = died(shared, function)
    assert (error.reason, error.is_limit) == ENDS[function]
    assert shared.call(poison.process) != before


@pytest.mark.parametrize("function", [poison.endless_loop, poison.endless_pattern])
def test_what_computes_without_end_is_stopped_by_the_processors_time(function: Any) -> None:
    with Worker(QUICK) as worker:
        # The clock has other programs' time in it; here only the processor's may stop the job.
        worker.limits = WorkLimits(memory="1GB", seconds=1, patience=100)
        error = died(worker, function)
        assert (error.reason, error.is_limit) == ("it takes more than 1 s of the processor", True)
        assert worker.call(poison.plain, 1) == 1


def test_what_waits_without_end_is_stopped_by_the_clock() -> None:
    with Worker(WorkLimits(seconds=5, patience=1)) as worker:
        worker.call(poison.process)
        worker.limits = QUICK
        error = died(worker, poison.endless_wait)
        assert (error.reason, error.is_limit) == ("it took longer than 1 s", True)


def test_a_larger_file_has_more_time() -> None:
    assert WorkLimits().seconds_for(0) == 120
    assert WorkLimits().seconds_for(50_000_000) == 620


def test_one_that_held_much_memory_is_not_used_again_and_one_that_did_not_is(shared: Worker) -> None:
    assert shared.call(poison.process) == shared.call(poison.process)
    shared.call(poison.hold, 100_000_000)
    before = shared.call(poison.process)
    shared.call(poison.hold, 500_000_000)
    assert shared.call(poison.process) != before


def test_limits_without_room_for_the_process_are_a_mistake_of_the_settings() -> None:
    with pytest.raises(ConfigurationError, match="cannot start within 1GB of memory and 2 s: it needs more") as error:
        Worker(LIMITS, (poison.memory_by_python, ())).call(poison.process)
    assert "JUNHENG_READ_MEMORY" in error.value.where


def test_nothing_is_left_when_the_block_ends() -> None:
    with Worker(LIMITS) as worker:
        process = worker.call(poison.process)
        os.kill(process, 0)
    with pytest.raises(ProcessLookupError):
        os.kill(process, 0)


@pytest.mark.parametrize("job", ["endless_wait", "plain, 1"])
def test_it_ends_when_the_program_that_started_it_is_killed(tmp_path: Path, job: str) -> None:
    script = (
        "import sys, threading, time\n"
        f"sys.path[:0] = [{str(Path(__file__).parent)!r}]\n"
        "import poison\n"
        "from pipelines.worker import Worker\n"
        "from pipelines.settings import WorkLimits\n"
        "worker = Worker(WorkLimits(memory='1GB'))\n"
        "print(worker.call(poison.process), flush=True)\n"
        f"worker.call(poison.{job})\n"
        "time.sleep(10_000)\n"
    )
    program = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True, cwd=PROJECT_FOLDER)
    assert program.stdout is not None
    reader = int(program.stdout.readline())
    program.send_signal(signal.SIGKILL)
    program.wait()
    program.stdout.close()
    while _is_alive(reader):  # a test that hangs is red too
        time.sleep(0.05)


def _is_alive(process: int) -> bool:
    """False also for one that has ended and that nobody has asked after."""
    path = Path(f"/proc/{process}/stat")
    return path.exists() and path.read_text().rpartition(")")[2].split()[0] != "Z"
