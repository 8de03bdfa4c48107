"""Statuses that stand beside their numbers: a column of flags, or a name that says it of its whole row.

They are put behind the numbers here, so that one rule reads both; what they mean is `numbers`' work.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import polars as pl

from pipelines.intake.numbers import are_marks, sign_form
from pipelines.jurisdiction.contract import Layout, ValueColumn
from pipelines.jurisdiction.text import normalise


def with_statuses(
    data: pl.DataFrame, values: Sequence[tuple[str, ValueColumn]], layout: Layout, places: Mapping[str, str]
) -> pl.DataFrame:
    """Data rows with the status of each number behind it: `1200 P`.

    `values` are the columns of numbers, `places` the column of each header. An empty cell stays empty beside a mark:
    there is no number that could bear it; a token counts in its place. Any other status stands behind a sign that
    makes the cell a reject, whatever the two would be together: `5` and `200` are not 5 200.
    """
    joined = []
    for cell, rule in values:
        status = layout.status_of(rule)
        if status is None:
            continue
        said = _texts(data[places[normalise(status.column)]], status.pattern)
        tokens = {sign_form(token) for token in (*layout.tokens, *rule.tokens)}
        texts = [text for text in said.unique() if text]
        is_mark = said.is_in([text for text in texts if are_marks(text, layout.marks)])
        is_token = said.is_in([text for text in texts if sign_form(text) in tokens])
        number = data[cell].fill_null("").str.strip_chars()
        is_empty = number == ""
        told = (number + " | " + said).zip_with(~is_mark, number + " " + said).zip_with(~(is_empty & is_token), said)
        joined.append(data[cell].zip_with((said == "") | (is_empty & is_mark), told).alias(cell))
    return data.with_columns(joined) if joined else data


def _texts(cells: pl.Series, pattern: str | None) -> pl.Series:
    """What the cells of a column say of the numbers beside them; an empty text for nothing."""
    if pattern is None:
        return cells.fill_null("").str.strip_chars()
    texts = [text for text in cells.unique() if text is not None]
    found = {text: match.group(1) for text in texts if (match := re.search(pattern, normalise(text)))}
    return cells.replace_strict(found, default="", return_dtype=pl.String)
