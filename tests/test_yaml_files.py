"""YAML that people write is read as it stands, or refused with its line: never a traceback, never without end."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import country
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from pipelines.errors import ConfigurationError
from pipelines.jurisdiction import load
from pipelines.quality.suites import load_retired
from pipelines.settings import PROJECT_FOLDER
from pipelines.yaml_files import load_text, load_yaml

DEEP = {
    "lists": "a: " + "[" * 100_000 + "]" * 100_000,
    "lists that never close": "a: " + "[" * 100_000,
    "mappings": "a: " + "{a: " * 100_000,
    "lists by dashes": "- " * 100_000 + "x",
    "mappings by question marks": "? " * 100_000 + "x",
    "mappings by indentation": "\n".join(" " * i + "a:" for i in range(1_000)),
    "in the middle of a good file": "a: 1\nb: [1, 2]\nc:\n  - " + "[" * 60 + "]" * 60,
}
LAUGHS = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]\n" for i in range(1, 12)
)
GROWING = {
    "a list of lists of lists": LAUGHS,
    "mappings of mappings": "a0: &a0 {a: 1}\n"
    + "".join(f"a{i}: &a{i} {{{', '.join(f'k{n}: *a{i - 1}' for n in range(10))}}}\n" for i in range(1, 12)),
    "merged mappings": "a0: &a0 {a: 1, b: 2, c: 3, d: 4, e: 5, f: 6, g: 7, h: 8}\n"
    + "".join(f"a{i}: &a{i} {{<<: [{', '.join([f'*a{i - 1}'] * 10)}]}}\n" for i in range(1, 10)),
    "a list in itself": "a: &a [1, *a]",
    "a mapping in itself": "a: &a {b: {c: *a}}",
}
NOT_WHAT_THEY_LOOK_LIKE = {
    "a day that is none": "a: 2020-13-45",
    "a number of ten thousand digits": "a: " + "9" * 10_000,
    "a word as a number": "a: !!int many",
    "a word as a fraction": "a: !!float many",
    "a word as yes or no": "a: !!bool perhaps",
    "a word as a day": "a: !!timestamp yesterday",
    "a call": "a: !!python/object/apply:os.system [true]",
    "a list as a key": "? [a]\n: b",
    "a null byte": "a: \0",
    "an anchor that nobody set": "a: *b",
    "two documents": "a: 1\n---\nb: 2",
    "a tab": "a:\n\t- b",
}


def refused(text: str) -> ConfigurationError:
    with pytest.raises(ConfigurationError) as error:
        load_text(text, "file.yml")
    assert error.value.where.startswith("file.yml, line ")
    assert error.value.do
    return error.value


@pytest.mark.parametrize("name", DEEP)
def test_what_is_nested_too_deep_is_refused_with_its_line(name: str) -> None:
    error = refused(DEEP[name])
    assert "nested more than 50 deep" in error.message
    line = {"mappings by indentation": 51, "in the middle of a good file": 4}.get(name, 1)
    assert error.where == f"file.yml, line {line}"


@pytest.mark.parametrize("name", GROWING)
def test_what_grows_by_aliases_is_refused_with_its_line(name: str) -> None:
    error = refused(GROWING[name])
    assert ("lies in itself" if "itself" in name else "more than 1,000,000 entries") in error.message


@pytest.mark.parametrize("name", NOT_WHAT_THEY_LOOK_LIKE)
def test_what_yaml_cannot_make_anything_of_is_refused_with_its_line(name: str) -> None:
    refused(NOT_WHAT_THEY_LOOK_LIKE[name])


def test_as_deep_and_as_large_as_people_write_is_read() -> None:
    assert load_text("a: " + "[" * 49 + "]" * 49, "file.yml")
    text = "x: &x {a: 1, b: [1, 2]}\nlist:\n" + "  - {<<: *x, c: *x}\n" * 20_000
    read = load_text(text, "file.yml")
    assert read["list"][-1] == {"a": 1, "b": [1, 2], "c": {"a": 1, "b": [1, 2]}}


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"])),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("abcdef", min_size=1), inner, max_size=4),
    max_leaves=20,
)


@given(value=PLAIN, is_flow=st.booleans())
def test_whatever_was_written_is_read(value: object, is_flow: bool) -> None:
    text = yaml.safe_dump(value, allow_unicode=True, default_flow_style=is_flow)
    assert load_text(text, "file.yml") == value


@given(text=st.text("ab01:-?[]{}&*!|>#'\"%@,<. \n\t\0\u2028\ufeff", max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        load_text(text, "file.yml")
    except ConfigurationError as error:
        assert error.where.startswith("file.yml, line ")


def test_a_file_that_is_too_large_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "large.yml"
    with path.open("wb") as file:
        file.truncate(3_000_000_000)
    with pytest.raises(ConfigurationError, match="3,000,000,000 bytes long") as error:
        load_yaml(path)
    assert error.value.where == str(path)


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "folder.yml").mkdir()
    os.mkfifo(tmp_path / "pipe.yml")
    (tmp_path / "latin.yml").write_bytes("a: Gemüse".encode("latin-1"))
    for name in ("folder.yml", "pipe.yml", "latin.yml", "none.yml"):
        with pytest.raises(ConfigurationError) as error:
            load_yaml(tmp_path / name)
        assert error.value.where == str(tmp_path / name)


@pytest.mark.parametrize("text", [DEEP["lists"], LAUGHS], ids=["deep", "laughs"])
@pytest.mark.parametrize(
    "file", ["jurisdiction.yml", "contracts/treasury/budget.yml", "corrections/own.yml", "recipes.yml", "releases.yml"]
)
def test_every_file_of_a_jurisdiction_is_refused_by_name(tmp_path: Path, file: str, text: str) -> None:
    made = country.make_country(tmp_path / "verdania", without=[])
    path = made.folder / file
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    with pytest.raises(ConfigurationError) as error:
        load(made.folder)
    assert file in error.value.where


def test_expectations_are_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "retired.yml").write_text(DEEP["lists"])
    with pytest.raises(ConfigurationError, match="nested") as error:
        load_retired([tmp_path])
    assert "retired.yml, line 1" in error.value.where


def test_the_command_line_says_so_with_exit_code_2_in_little_memory(tmp_path: Path) -> None:
    made = country.make_country(tmp_path / "verdania")
    (made.folder / "jurisdiction.yml").write_text(LAUGHS)
    command = [sys.executable, "-m", "pipelines.cli", "status", "--jurisdiction", str(made.folder)]
    script = (
        "import resource, subprocess, sys\n"
        f"done = subprocess.run({command!r}, capture_output=True, text=True)\n"
        "sys.stderr.write(done.stderr)\n"
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024)\n"
        "sys.exit(done.returncode)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=PROJECT_FOLDER)
    assert done.returncode == 2, done.stderr
    assert "jurisdiction.yml, line" in done.stderr and "Traceback" not in done.stderr
    assert int(done.stdout) < 500
