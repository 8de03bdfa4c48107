"""The text that goes with every download: what it is, flags, notes, sources, licence, citation.

Written once, as Markdown in both languages; each format's folder carries it, and the workbook shows it on sheets.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from pipelines.exports.texts import words
from pipelines.publish import Release, Table


def notes(release: Release) -> list[dict[str, str]]:
    """Notes on the data in both languages: those of all downloads, then the jurisdiction's own."""
    general: dict[str, dict[str, str]] = words()["notes"]
    said = [*general.values(), *release.jurisdiction["data_notes"]]
    return list({note["zh"]: note for note in said}.values())


def flags() -> list[tuple[str, str, str, str]]:
    """Every flag: column, code, Chinese, English."""
    return [
        (column, code, zh, en)
        for column, codes in words()["flags"].items()
        for code, (zh, en) in codes.items()
    ]  # fmt: skip


def sources(release: Release) -> list[dict[str, str]]:
    """The extracts that the release rests on: name, publisher, title, licence, provenance."""
    return [
        {
            "extract": f"{extract['department']}/{extract['extract']}",
            "name_zh": extract["name_zh"],
            "name_en": extract["name_en"],
            "publisher": extract["publisher"],
            "title": extract["source_title"] or "",
            "license": extract["license"],
            "provenance": extract["provenance"],
        }
        for extract in release.card["extracts"]
    ]


def readme(release: Release, tables: tuple[Table, ...], files: dict[str, str]) -> str:
    """The README of a folder of downloads; `files` names the file of each table, where it has one."""
    place, citation, mark = release.jurisdiction, release.citation(), release.mark
    lines = [f"# {place['name']}基本公共服务数据 / Public-service statistics of {place['name_en']}", ""]
    if release.has_synthetic:
        lines += [
            f"**{mark['zh']} / {mark['en']}.** 文件名带此标记的表含示例数据，逐行见 provenance 列。",
            "Tables whose file name carries the mark hold figures made from synthetic input; the column provenance "
            "says which rows.",
            "",
        ]
    lines += [
        f"发布 / Release: {release.release_id}, {release.prepared_at}",
        "",
        "## 表 / Tables",
        "",
        "| 文件 / file | 表 / table | 行 / rows | 说明 / description |",
        "|---|---|---|---|",
    ]
    lines += [
        f"| {files.get(table.name, '')} | {table.name} | {release.row_count(table)} | "
        f"{table.description_zh} / {table.description_en} |"
        for table in tables
    ]
    lines += ["", "## 标记 / Flags", "", "| 列 / column | 代码 / code | 含义 / meaning |", "|---|---|---|"]
    lines += [f"| {column} | {code} | {zh} / {en} |" for column, code, zh, en in flags()]
    lines += ["", "## 说明 / Notes", ""]
    lines += [f"- {note['zh']} / {note['en']}" for note in notes(release)]
    lines += ["", "## 来源与许可 / Sources and licences", ""]
    lines += [
        f"- {source['extract']}: {source['publisher']}, {source['title']}; {source['license']} ({source['provenance']})"
        for source in sources(release)
    ]
    lines += ["", "## 引用 / How to cite", "", citation["zh"], "", citation["en"], ""]
    return "\n".join(lines)


def licence(release: Release) -> str:
    """The licences of all sources as one text."""
    lines = ["各来源的许可 / Licences of the sources", ""]
    lines += [f"{s['extract']}: {s['license']} ({s['publisher']}, {s['title']})" for s in sources(release)]
    return "\n".join([*lines, ""])


def write_readme(release: Release, tables: tuple[Table, ...], files: dict[str, Path], folder: Path) -> list[Path]:
    """README.md and SHA256SUMS of a folder of downloads, whose tables (`files`) may lie elsewhere. Returns both."""
    path = folder / "README.md"
    path.write_text(readme(release, tables, {name: file.name for name, file in files.items()}), encoding="utf-8")
    sums = folder / "SHA256SUMS"
    here = [file for file in folder.iterdir() if file.is_file() and file != sums]
    listed = sorted({file.name: file for file in (*files.values(), *here)}.values(), key=lambda file: file.name)
    sums.write_text(
        "".join(f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.name}\n" for file in listed), encoding="utf-8"
    )
    return [path, sums]


def citation_file(release: Release) -> str:
    """The citation as CFF 1.2.0 (JSON is YAML)."""
    place = release.jurisdiction
    return json.dumps(
        {
            "cff-version": "1.2.0",
            "type": "dataset",
            "title": f"{place['name']}基本公共服务数据 / Public-service statistics of {place['name_en']}",
            "message": release.citation()["en"],
            "authors": [{"name": "Junheng"}],
            "version": release.release_id,
            "date-released": release.prepared_at[:10],
            "identifiers": [{"type": "other", "value": release.manifest["inputs_hash"]}],
        },
        ensure_ascii=False,
        indent=1,
    )
