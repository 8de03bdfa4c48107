"""The commands about releases as evidence: verify, reproduce, compare, sign off, withdraw, roll back, keys.

They parse, call and print, like the other commands in this room.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from pipelines.cli.common import as_table, command, in_short, print_result, say, warn_of_withdrawal
from pipelines.errors import BusyError, UsageError
from pipelines.settings import Settings

ReleaseArgument = Annotated[str, typer.Argument(help="Id of a release.", metavar="RELEASE")]
ByOption = Annotated[str | None, typer.Option("--by", help="Who decides this.", metavar="NAME")]
# A gate did not hold: the same code as for a build that is blocked.
DOES_NOT_HOLD = 3


def _house(settings: Settings) -> Any:
    from pipelines.run import Session

    return Session(settings, say)


@command()
def releases(
    settings: Settings,
) -> None:
    """What was published, signed off and withdrawn, and what is due when."""
    from pipelines import release as releasing

    session = _house(settings)
    house, plan = session.warehouse, session.jurisdiction.release_plan
    known = releasing.states(house)
    current = house.current_release_id()
    official = house.official.readlink().name if house.official.is_symlink() else None
    rows = []
    for listed in releasing.list_releases(house):
        said = known.get(listed.release_id, {})
        rows.append(
            {
                **listed.as_dict(),
                "is_current": listed.release_id == current,
                "is_official": listed.release_id == official,
                "signed_off": [signed["by"] for signed in said.get("signed_off", [])],
                "calendar": said.get("calendar"),
                "severity": said.get("severity"),
                "withdrawn": releasing.said_of_withdrawal(listed.release_id, said),
            }
        )
    planned = releasing.calendar(house, plan, session.jurisdiction.time_zone)
    shown = [
        {
            **row,
            "links": " ".join(name for name in ("current", "official") if row[f"is_{name}"]),
            "signed_off": ", ".join(row["signed_off"]),
        }
        for row in rows
    ]
    columns = ["release_id", "state", "links", "sealed_at", "build_id", "signed_off", "calendar"]
    text = [as_table(shown, columns) if rows else "no releases yet"]
    text += [row["withdrawn"] for row in rows if row["withdrawn"]]
    if planned:
        text += ["", as_table(planned, ["id", "name", "due", "embargo", "state", "days_late", "release_id"])]
    print_result(rows, "\n".join(text))


@command()
def rollback(
    settings: Settings,
    release_id: ReleaseArgument,
) -> None:
    """Set `current` back to an earlier release. Nothing is removed."""
    from pipelines import release as releasing

    session = _house(settings)
    with session.warehouse.lock():
        sealed = releasing.rollback(session.warehouse, session.ledger, release_id)
    print_result(sealed.as_dict(), f"current is {sealed.release_id} again\n  {sealed.folder}")


@command()
def official(
    settings: Settings,
    release_id: ReleaseArgument,
    by: ByOption = None,
    planned: Annotated[
        str | None, typer.Option("--for", help="Id of the planned release that this is.", metavar="ID")
    ] = None,
) -> None:
    """Sign a release off. With the second person's name it becomes official, unless an embargo holds."""
    from pipelines import release as releasing

    session = _house(settings)
    with session.warehouse.lock():
        found = releasing.sign_off(
            session.warehouse, session.ledger, session.jurisdiction.release_plan, release_id, by, planned
        )
    names = " and ".join(signed["by"] for signed in found["signed_off"]) or "nobody"
    if found["state"] == "official":
        text = f"release {release_id} is official, signed off by {names}\n  {session.warehouse.official}"
    elif found["missing_signatures"]:
        text = (
            f"release {release_id} stays a candidate: signed off by {names}, "
            f"{found['missing_signatures']} more of another person needed\n"
            f"  junheng official {release_id} --by NAME"
        )
    else:
        text = (
            f"release {release_id} is signed off by {names} and under embargo until {found['embargo']}\n"
            f"  after that: junheng official {release_id}"
        )
    print_result(found, text)


@command()
def withdraw(
    settings: Settings,
    release_id: ReleaseArgument,
    reason: Annotated[str, typer.Option("--reason", help="What is wrong, for everybody to read.", metavar="TEXT")],
    severity: Annotated[
        str, typer.Option("--severity", help="critical or major; see docs/corrections-policy.md.", metavar="S")
    ] = "major",
    by: ByOption = None,
) -> None:
    """Withdraw a release: it stays readable, its reason is shown, links move to the newest that stands."""
    from pipelines import release as releasing

    session = _house(settings)
    with session.warehouse.lock():
        found = releasing.withdraw(
            session.warehouse, session.ledger, release_id, reason, severity, by or settings.person
        )
    lines = [f"release {release_id} is withdrawn ({severity}): {found['reason']}", f"  it stays in {found['folder']}"]
    lines += [f"  {link} is now {target or 'gone: no other release stands'}" for link, target in found["moved"].items()]
    days = found["notice_days"]
    lines.append(f"  users are to be told {f'within {days} days' if days else 'today'} (docs/corrections-policy.md)")
    print_result(found, "\n".join(lines))


@command()
def verify(
    settings: Settings,
    release_id: Annotated[
        str | None, typer.Argument(help="Release to verify. Default: the current one.", metavar="RELEASE")
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="All releases, and every file of the vault.")] = False,
    head: Annotated[
        str | None, typer.Option("--head", help="Hash of a ledger entry that was kept elsewhere.", metavar="HASH")
    ] = None,
    public_key: Annotated[
        Path | None,
        typer.Option(
            "--public-key", help="The publisher's public key. Default: JUNHENG_PUBLIC_KEY_FILE.", metavar="FILE"
        ),
    ] = None,
) -> None:
    """Check files, manifest, signature, verdict, ledger, kept bytes, states and links. Exit code 3: something does
    not hold."""
    from pipelines.store import Warehouse
    from pipelines.verifier import public_key_in
    from pipelines.verifier import verify as check

    house = Warehouse(settings.warehouse_folder / settings.jurisdiction_folder.name)
    key = public_key or settings.public_key_file
    if key is not None:
        try:
            public_key_in(key)
        except (OSError, ValueError) as error:
            raise UsageError(
                "there is no Ed25519 public key in that file", where=str(key), do="name the file that ends in .pub"
            ) from error
    folders = sorted(p for p in house.releases.glob("*.*") if p.is_dir() and not p.name.startswith("."))
    if release_id or not every:
        # Where `current` points is part of what is checked: what it should be, the ledger knows.
        wanted = release_id or house.current_release_id()
        if wanted is None or not house.release_folder(wanted).is_dir():
            raise UsageError(
                f"there is no release {wanted}" if wanted else "there is no current release",
                where=str(house.releases),
                do="see `junheng releases`, or verify `--all`" if folders else "run `junheng run` first",
            )
        folders = [house.release_folder(wanted)]
    withdrawn = warn_of_withdrawal(house, *(folder.name for folder in folders))
    try:
        with house.lock():
            report = check(house.folder, folders, public_key=key, head=head, whole_vault=every)
    except (BusyError, PermissionError) as error:
        # An auditor may have no right to write here, and a run at work is no reason to wait.
        report = check(house.folder, folders, public_key=key, head=head, whole_vault=every)
        if isinstance(error, BusyError) and not report.holds:
            report.notes.append("a run is at work: ledger, links and states may be between two steps; verify again")
    names = folders[0].name if len(folders) == 1 else f"{len(folders)} releases"
    looked_at = ", ".join(f"{count:,} {name}" for name, count in report.counts.items())
    if report.holds:
        signed = f"signed by {report.key_id}{' (the key you named)' if report.is_trusted else ''}"
        lines = [f"{names}: everything holds", f"  {looked_at}", *([f"  {signed}"] if report.key_id else [])]
    else:
        lines = [f"{names}: {len(report.problems)} finding(s), this does NOT hold", f"  {looked_at}"]
        lines += [f"  - {problem}" for problem in report.problems]
        lines.append("  what to do: docs/verification.md; `junheng diff` and the ledger say what it should be")
    lines += [f"  note: {note}" for note in report.notes]
    lines.append(f"  ledger head {report.head}: keep it elsewhere, `--head` looks it up later")
    payload = {**report.as_dict(), "releases": [folder.name for folder in folders], "withdrawn": withdrawn}
    print_result(payload, "\n".join(lines))
    if not report.holds:
        raise typer.Exit(DOES_NOT_HOLD)


@command()
def reproduce(
    settings: Settings,
    release_id: ReleaseArgument,
) -> None:
    """Build a release again from its receipts and compare the hashes of dims, facts and marts. Exit code 3: they
    differ."""
    from pipelines.run.reproduction import reproduce as again

    withdrawn = warn_of_withdrawal(_house(settings).warehouse, release_id)
    found = again(settings, release_id, say)
    tables = found["tables"]
    if found["same"]:
        lines = [f"release {release_id} comes out the same: {len(tables)} tables, every content hash"]
    else:
        differing = [line for line in tables if not line["same"]]
        lines = [f"release {release_id}: {len(differing)} of {len(tables)} tables come out otherwise"]
        lines += [f"  why: {cause}" for cause in found["why"]]
        if found["code_version"]["release"] != found["code_version"]["now"]:
            said = found["code_version"]
            lines.append(f"  the code is another: {said['release'][:12]} then, {said['now'][:12]} now")
        for line in differing:
            if line["same_figures"]:
                lines.append(f"  {line['table']}: the same figures; only the ids of readings differ (another reader)")
            else:
                lines += _table_lines(line["table"], found["differences"].get(line["table"], {}))
    print_result({**found, "withdrawn": withdrawn}, "\n".join(lines))
    if not found["same"]:
        raise typer.Exit(DOES_NOT_HOLD)


@command()
def diff(
    settings: Settings,
    before: Annotated[str, typer.Argument(help="The release before.", metavar="RELEASE")],
    after: Annotated[str, typer.Argument(help="The release after.", metavar="RELEASE")],
    limit: Annotated[int, typer.Option("--limit", help="Rows of a kind listed per table; 0 for all.", min=0)] = 20,
    page: Annotated[Path | None, typer.Option("--page", help="Write a page of it.", metavar="FILE")] = None,
) -> None:
    """Added, removed and revised figures between two releases, with the receipt or rule that caused them."""
    from pipelines import release as releasing
    from pipelines.store import read_json, write_atomically

    session = _house(settings)
    warn_of_withdrawal(session.warehouse, before, after)
    found = releasing.diff(session.warehouse, session.ledger, before, after, limit=limit or None)
    if page is not None:
        from pipelines.pages import render_difference

        card = read_json(session.warehouse.release_folder(after) / "release.json")
        if not page.absolute().parent.is_dir():
            raise UsageError("there is no such folder", where=str(page), do="name a file in a folder that is there")
        write_atomically(page, render_difference(found, card).encode())
        found["page"] = str(page.absolute())
    print_result(found, _diff_text(found))


def _diff_text(found: dict[str, Any]) -> str:
    lines = [f"{found['before']['release_id']} -> {found['after']['release_id']}"]
    for cause in found["inputs"]:
        lines.append(
            f"  {cause['cause']} ({cause['change']}){': ' + cause['file'] if cause['kind'] == 'receipt' else ''}"
        )
        lines += [f"    {line}" for line in cause.get("diff", [])[:40]]
    changed = {name: t for name, t in found["tables"].items() if t["added"] or t["removed"] or t["revised"]}
    if not changed:
        lines.append("no figure differs")
    for name, table in changed.items():
        lines += ["", *_table_lines(name, table)]
    lines += [f"the table {name} is no longer published" for name in found["tables_removed"]]
    lines += [f"\npage: {found['page']}"] if "page" in found else []
    return "\n".join(lines)


def _table_lines(name: str, table: dict[str, Any]) -> list[str]:
    """One table's changes: counts, then the rows by key with before, after and causes."""
    if not table:
        return [f"{name}: is not made any more, or was not made then"]
    lines = [f"{name}: {table['added']:,} added, {table['removed']:,} removed, {table['revised']:,} revised"]
    for what in ("columns_added", "columns_removed"):
        if table.get(what):
            lines.append(f"  {what.replace('_', ' ')}: {', '.join(table[what])}")
    signs = {"added": "+", "removed": "-", "revised": "~"}
    for kind, sign in signs.items():
        rows = table.get("examples", {}).get(kind, [])
        for row in rows:
            key = " ".join(f"{column}={value}" for column, value in row["key"].items())
            cells = "; ".join(
                f"{column} {in_short(cell['before']) or 'null'} -> {in_short(cell['after']) or 'null'}"
                for column, cell in row.get("columns", {}).items()
            )
            mark = " (synthetic)" if row.get("provenance") == "synthetic" else ""
            causes = ", ".join(row["causes"] or ["no known cause"])
            lines.append(f"  {sign} {key}{mark}{': ' + cells if cells else ''}  [{causes}]")
        if table[kind] > len(rows):
            lines.append(f"  {sign} … {table[kind] - len(rows):,} more")
    return lines


@command()
def key(
    settings: Settings,
    file: Annotated[Path, typer.Argument(help="Where to write the private key; FILE.pub holds the public one.")],
) -> None:
    """Make a key pair for signing releases."""
    from pipelines.release.signing import make_key

    made = make_key(file, settings.warehouse_folder, settings.jurisdiction_folder)
    place = file.expanduser().absolute()
    found = {"key_id": made.key_id, "private_key": str(place), "public_key": f"{place}.pub"}
    print_result(
        found,
        f"made the key {made.key_id}\n"
        f"  private  {place}  (keep it to yourself, and a copy where it cannot be lost)\n"
        f"  public   {place}.pub  (give it to everybody who verifies)\n"
        f"  to sign: export JUNHENG_SIGNING_KEY_FILE={place}",
    )
