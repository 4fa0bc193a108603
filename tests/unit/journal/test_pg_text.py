"""Array literals read as what was written, whatever stands in the texts."""

from __future__ import annotations

import pytest

from journal.domain.pg_text import array_literal


@pytest.mark.parametrize(
    ("values", "literal"),
    [
        (["A1", "B,2", "{C}", "NULL", ""], '{"A1","B,2","{C}","NULL",""}'),
        (['say "so"', "back\\slash"], r'{"say \"so\"","back\\slash"}'),
        (["A", None], '{"A",NULL}'),
        ([], "{}"),
    ],
)
def test_texts_of_an_array(values: list[str | None], literal: str) -> None:
    assert array_literal("text", values) == literal
    assert array_literal("varchar", values) == literal
