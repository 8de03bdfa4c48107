"""The page that shows two releases compared. What differs was found before; here it is only laid out."""

from __future__ import annotations

from typing import Any

from pipelines.pages.rendering import environment


def render_difference(found: dict[str, Any], card: dict[str, Any]) -> str:
    """One self-contained page of a comparison; `card` is the `release.json` of the release compared to.

    A row that rests on synthetic input is marked, and so is the page.
    """
    changed = [
        {"table": name, **table}
        for name, table in found["tables"].items()
        if table["added"] or table["removed"] or table["revised"]
    ]
    shown = [row for table in changed for rows in table.get("examples", {}).values() for row in rows]
    place = card["jurisdiction"]
    return (
        environment()
        .get_template("diff.html")
        .render(
            **found,
            card=card,
            place=place,
            synthetic=place["synthetic_mark"],
            has_synthetic=any(row.get("provenance") == "synthetic" for row in shown),
            changed=changed,
            total={
                kind: sum(table[kind] for table in found["tables"].values()) for kind in ("added", "removed", "revised")
            },
        )
    )
