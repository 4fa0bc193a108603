"""Array literals read as what was written, whatever stands in the texts."""

from __future__ import annotations

from uuid import UUID

import pytest

from journal.domain.pg_text import array_literal, copy_lines


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


def test_ids_are_written_alike_however_they_come() -> None:
    one, two = UUID(int=1), UUID(int=2**127)
    texts = f"{one},{two}"
    assert array_literal("uuid", [one, two]) == array_literal("uuid", (str(one), two)) == "{" + texts + "}"
    assert array_literal("uuid", [one, None]) == "{" + f"{one},NULL" + "}"
    assert array_literal("uuid", iter([])) == "{}"
    rows = [(one, "a"), (two, "b")]
    assert copy_lines(("uuid", "text"), rows) == f"{one}\ta\n{two}\tb\n"
    assert copy_lines(("uuid", "text"), [*rows, (None, "c")]) == f"{one}\ta\n{two}\tb\n\\N\tc\n"
