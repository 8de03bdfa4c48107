"""What all tests share: how property tests run, and the jurisdictions that whole-pipeline tests run once."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest
from browser import CHROMIUM, MISSING, Browser
from browser import browser as open_browser
from country import make_country
from fenland import write as write_fenland
from houses import House
from hypothesis import HealthCheck, settings

from pipelines import worker
from pipelines.settings import PROJECT_FOLDER, WorkLimits

# The same examples in every run: a red test must be red again for the person who looks into it. No deadline:
# the machine may be busy with a build.
settings.register_profile(
    "junheng", deadline=None, derandomize=True, print_blob=False, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("junheng")


class WarmProcess(worker._Process):
    """A process for jobs that is not ended after its last one: the next Worker with the same settings goes on with it.

    Starting one takes half a second. One waits at the most: each holds as much memory as its libraries need.
    Tests of the process itself ask for `cold_processes`.
    """

    idle: ClassVar[list[WarmProcess]] = []

    def __new__(cls, limits: WorkLimits, environment: dict[str, str]) -> WarmProcess:
        ours = {name: value for name, value in os.environ.items() if name.startswith("JUNHENG_")}
        settings = repr((limits, environment, sorted(ours.items()), sys.path))
        made = cls.idle.pop() if cls.idle else None
        if made is not None and made.settings != settings:
            super(WarmProcess, made).end()
            made = None
        made = made or super().__new__(cls)
        made.settings = settings
        return made

    def __init__(self, limits: WorkLimits, environment: dict[str, str]) -> None:
        if "_popen" not in self.__dict__:
            super().__init__(limits, environment)
        self.is_good = True

    def ask(self, job: Any, patience: float) -> dict[str, Any]:
        self.is_good = False
        answer = super().ask(job, patience)
        self.is_good = not answer.get("is_spent", True)
        return answer

    def end(self) -> None:
        if self.is_good and not self.idle:
            self.idle.append(self)
        else:
            super().end()


@pytest.fixture(autouse=True)
def warm_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests share the processes that files are read in."""
    monkeypatch.setattr(worker, "_Process", WarmProcess)


@pytest.fixture
def cold_processes(warm_processes: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every Worker starts a process of its own and ends it, as in a run."""
    monkeypatch.setattr(worker, "_Process", WarmProcess.__base__)


@pytest.fixture(scope="session")
def zhejiang_run(tmp_path_factory: pytest.TempPathFactory) -> tuple[House, dict[str, Any]]:
    """`junheng run` on raw/zhejiang into a fresh warehouse, in a process of its own; the house and what it said."""
    house = House(PROJECT_FOLDER / "raw" / "zhejiang", tmp_path_factory.mktemp("zhejiang"))
    said = house.command("run", "--json")
    assert said.returncode == 0, said.stderr
    return house, json.loads(said.stdout)


@pytest.fixture(scope="session")
def zhejiang(zhejiang_run: tuple[House, dict[str, Any]]) -> House:
    """Zhejiang, published once. Tests only look at it."""
    return zhejiang_run[0]


@pytest.fixture(scope="session")
def england_run(tmp_path_factory: pytest.TempPathFactory) -> House:
    """England, published once from its folder as it is. Tests only look at it."""
    house = House(PROJECT_FOLDER / "raw" / "england", tmp_path_factory.mktemp("england"))
    told = house.command("run", "--json")
    assert told.returncode == 0, told.stderr
    return house


@pytest.fixture(scope="session")
def verdania(tmp_path_factory: pytest.TempPathFactory) -> House:
    """The invented country, published once. Tests only look at it, or copy it (`copy_of`)."""
    folder = tmp_path_factory.mktemp("verdania")
    house = House(make_country(folder / "verdania").folder, folder / "warehouse")
    house.run()
    return house


@pytest.fixture(scope="session")
def fens(tmp_path_factory: pytest.TempPathFactory) -> House:
    """The invented jurisdiction of financial years, published once. Tests only look at it."""
    folder = tmp_path_factory.mktemp("fenland")
    house = House(write_fenland(folder / "fenland"), folder / "warehouse")
    house.run()
    return house


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """One headless browser for all tests that look at pages."""
    if CHROMIUM is None:
        pytest.skip(MISSING)
    with open_browser(tmp_path_factory.mktemp("profile")) as opened:
        yield opened


def copy_of(house: House, folder: Path) -> House:
    """A house that a test may change: same jurisdiction, same warehouse with all it holds."""
    import shutil

    shutil.copytree(house.jurisdiction, folder / house.jurisdiction.name)
    shutil.copytree(house.folder, folder / "warehouse", symlinks=True)
    return House(folder / house.jurisdiction.name, folder / "warehouse")
