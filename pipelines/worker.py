"""Work on bytes that came from outside, in a process of its own with limits: what kills it kills nothing else.

One process does one job after another; a job is a function of ours and its arguments, its result plain JSON (tables go
through files). It knows no file format and no contract. Whoever calls decides what a death means.
"""

from __future__ import annotations

import contextlib
import json
import os
import pickle
import queue
import signal
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable
from multiprocessing.connection import Connection, Pipe
from pathlib import Path
from typing import IO, Any, cast

from pipelines import errors
from pipelines.settings import PACKAGE_FOLDER, READ_MEMORY_VARIABLE, READ_SECONDS_VARIABLE, WorkLimits

# What libraries print when the system gives them no more memory, before they end the process.
_NO_MEMORY = (b"memory allocation of", b"bad_alloc", b"MemoryError", b"Cannot allocate memory", b"out of memory")
_MEMORY, _PROCESSOR, _PATIENCE = "memory", "processor", "patience"


class WorkDiedError(Exception):
    """A job that was not done: its process ended, was ended at a limit, or failed in a way nobody foresaw.

    Where a limit was the cause, `is_limit` is true: the same job would end so again. `do` is what people can do about
    it where the job was to read a file.
    """

    def __init__(self, reason: str, *, is_limit: bool, do: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.is_limit = is_limit
        self.do = do


class Worker:
    """A process that does jobs under `limits`; started with the first job, and anew after one that it did not survive.

    `prepare` is a function and its arguments that every new process runs first; `environment` is set beside ours.
    """

    def __init__(
        self,
        limits: WorkLimits,
        prepare: tuple[Callable[..., object], tuple[Any, ...]] | None = None,
        environment: dict[str, str] | None = None,
    ) -> None:
        self.limits = limits
        self._prepare = prepare
        self._environment = environment or {}
        self._process: _Process | None = None
        self._is_spent = False

    def __enter__(self) -> Worker:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def call(self, function: Callable[..., Any], *arguments: Any, size_bytes: int = 0) -> Any:
        """What `function(*arguments)` returns, as JSON carries it; dates as text. `size_bytes` is what it works on.

        Raises the JunhengError that the function raises, WorkDiedError when it does not come to its end, and
        ConfigurationError when the limits leave no room for the process itself.
        """
        if self._process is None:
            self._start()
        try:
            return self._do(function, arguments, self.limits.seconds_for(size_bytes))
        finally:
            if self._is_spent:
                self.close()

    def close(self) -> None:
        """End the process, whatever it is doing."""
        process, self._process = self._process, None
        if process is not None:
            process.end()

    def _start(self) -> None:
        self._process = _Process(self.limits, self._environment)
        function, arguments = self._prepare or (_nothing, ())
        try:
            self._do(function, arguments, self.limits.seconds_for(0))
        except WorkDiedError as error:
            self.close()
            raise errors.ConfigurationError(
                f"the process that reads files cannot start within {self.limits}: {error.reason}",
                where=f"{READ_MEMORY_VARIABLE}, {READ_SECONDS_VARIABLE}",
                do="set higher limits, or none for the defaults",
            ) from error

    def _do(self, function: Callable[..., Any], arguments: tuple[Any, ...], seconds: int) -> Any:
        assert self._process is not None
        answer = self._process.ask((seconds, function, arguments), self.limits.patience * seconds)
        self._is_spent = answer.get("is_spent", True)
        if "error" in answer:
            name, message, where, do = answer["error"]
            raise getattr(errors, name)(message, where=where, do=do)
        if "died" in answer:
            raise _death(answer["died"], self.limits, seconds)
        return answer["result"]


def _death(cause: str, limits: WorkLimits, seconds: int) -> WorkDiedError:
    """What is told of a death by its cause."""
    if cause == _MEMORY:
        do = f"look for a stray cell far from the table, or ask for it in parts; {READ_MEMORY_VARIABLE} sets the limit"
        return WorkDiedError(f"it needs more than {limits.memory} of memory", is_limit=True, do=do)
    if cause in (_PROCESSOR, _PATIENCE):
        reason = f"it takes more than {seconds:,} s of the processor"
        if cause == _PATIENCE:
            reason = f"it took longer than {limits.patience * seconds:,} s"
        do = "look for a pattern in the contract that tries too many ways, or ask for the file in parts; "
        return WorkDiedError(reason, is_limit=True, do=f"{do}{READ_SECONDS_VARIABLE} sets the limit")
    do = "open it in the program that it is made for, and ask for it again or in another format"
    return WorkDiedError(cause, is_limit=False, do=do)


class _Process:
    """The process, the pipes to it and from it, and the end of what is printed in it: that is never shown or stored."""

    def __init__(self, limits: WorkLimits, environment: dict[str, str]) -> None:
        jobs, self._jobs = Pipe(duplex=False)
        self._answers, answers = Pipe(duplex=False)
        self._printed = bytearray()
        # The folder of the program must not be searched for modules, but what we can import it must find.
        code = f"import sys; sys.path[:] = {sys.path!r}; from pipelines.worker import serve; serve()"
        with jobs, answers:
            ends = jobs.fileno(), answers.fileno()
            self._popen = subprocess.Popen(
                [sys.executable, "-P", "-c", code, *map(str, (limits.memory_bytes, *ends))],
                env={**os.environ, **environment},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                pass_fds=ends,
            )
        self._drain = threading.Thread(target=self._keep_what_is_printed, daemon=True)
        self._drain.start()

    def ask(self, job: tuple[int, Callable[..., Any], tuple[Any, ...]], patience: float) -> dict[str, Any]:
        """The answer to a job, or what it died of."""
        with contextlib.suppress(BrokenPipeError):  # it has ended: that shows when its answer does not come
            self._jobs.send(job)
        if not self._answers.poll(patience):
            return {"died": _PATIENCE}
        try:
            answer: dict[str, Any] = json.loads(self._answers.recv_bytes())
        except (EOFError, OSError):
            return {"died": self._cause_of_death()}
        return answer

    def end(self) -> None:
        """End the process if it has not ended."""
        self._popen.kill()
        self._popen.wait()
        self._drain.join(5)
        self._jobs.close()
        self._answers.close()

    def _keep_what_is_printed(self) -> None:
        """The last of it, for the cause of a death: it may quote a cell, so it goes into no file."""
        with cast(IO[bytes], self._popen.stdout) as printed:
            while piece := os.read(printed.fileno(), 65_536):
                self._printed += piece
                del self._printed[:-10_000]

    def _cause_of_death(self) -> str:
        code = self._popen.wait()
        if code == -signal.SIGXCPU:
            return _PROCESSOR
        self._drain.join(5)
        if any(text in self._printed for text in _NO_MEMORY):
            return _MEMORY
        named = signal.Signals(-code).name if -code in signal.valid_signals() else f"code {code}"
        return f"its reader was ended by {named}"


# -- within the process -----------------------------------------------------------------------------------------


def serve() -> None:
    """Do the jobs that come; the limit of memory and the two pipes' ends are the program's arguments."""
    import resource

    memory, jobs_end, answers_end = map(int, sys.argv[1:])
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # who stops the run ends this process too
    os.umask(0o077)
    _limit(resource.RLIMIT_DATA, memory)
    _limit(resource.RLIMIT_CORE, 0)  # a dump would leave a file's bytes on the disk
    with contextlib.suppress(OSError):  # where memory runs out for all, this process is the one to end
        Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")
    jobs: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(Connection(jobs_end), jobs), daemon=True).start()
    answers = Connection(answers_end)
    while True:
        seconds, function, arguments = pickle.loads(jobs.get())
        _limit(resource.RLIMIT_CPU, int(time.process_time()) + 1 + seconds)
        answer = _answer_of(function, arguments)
        # A process that held much keeps some of it: the next job would have less than its due.
        answer["is_spent"] = "died" in answer or _memory_held() > memory / 2
        answers.send_bytes(json.dumps(answer, default=str).encode())


def _listen(connection: Connection, jobs: queue.SimpleQueue[bytes]) -> None:
    """Hand on the jobs. When nobody is there any more to send one, the process ends, whatever it is doing."""
    while True:
        try:
            jobs.put(connection.recv_bytes())
        except EOFError:
            os._exit(0)


def _answer_of(function: Callable[..., Any], arguments: tuple[Any, ...]) -> dict[str, Any]:
    try:
        return {"result": function(*arguments)}
    except errors.JunhengError as error:
        return {"error": [type(error).__name__, error.message, error.where, error.do]}
    except BaseException as error:  # panics of libraries in other languages are no Exception
        if isinstance(error, MemoryError) or "OutOfMemory" in type(error).__name__:
            return {"died": _MEMORY}
        # Neither its text nor its arguments: they may quote a cell.
        frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename != __file__]
        ours = [frame for frame in frames if Path(frame.filename).is_relative_to(PACKAGE_FOLDER)]
        at = f" in {Path(ours[-1].filename).name}, line {ours[-1].lineno}" if ours else ""
        return {"died": f"its reader failed: {type(error).__name__}{at}"}


def _limit(kind: int, most: int) -> None:
    """Lower a limit of this process; one that is lower already stays."""
    import resource

    hard = resource.getrlimit(kind)[1]
    resource.setrlimit(kind, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))


def _memory_held() -> int:
    """The memory that counts against the limit, in bytes; 0 where the system does not tell."""
    try:
        return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[5]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 0


def _nothing() -> None:
    """The job of a process that needs no preparation."""
