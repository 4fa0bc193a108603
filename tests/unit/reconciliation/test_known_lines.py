"""Lines that are known, and how a file spells what it says: what is taken out of a file is what could be read as it stands."""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

import pytest

from accounts.models import TradingAccount
from orders.models import Execution, Order
from reconciliation.domain.records import COLUMNS, Kind
from reconciliation.formats.csv_file import CsvStatement
from reconciliation.formats.known_lines import KnownLines, TooManyUnknown
from reconciliation.formats.problems import FileProblem
from reconciliation.formats.spelling import Spelled, spelling_of
from refdata.models import Listing
from tests.unit.reconciliation.files import written

HEADER = "exec_id,cl_ord_id,last_qty,last_px,transact_time"


def known(*lines: str | None, most: int = 100, width: int = 3) -> KnownLines:
    found = KnownLines(
        delimiter=",", width=width, is_clean=re.compile(r"[A-Z]\d* ?[A-Z]?,\d*,\d*").fullmatch, most=most
    )
    found.add(lines)
    return found


def test_a_line_is_met_once_and_the_same_again_is_not_known() -> None:
    lines = known("A,1,2", "B,1,2", None)
    assert lines.unknown(7, ["A,1,2", "C,1,2", "A,1,2"]) == [(8, "C,1,2"), (9, "A,1,2")]
    assert (lines.met, lines.not_met(), lines.unwritten, len(lines)) == (1, ["B,1,2"], 1, 3)
    assert lines.found(["A,1,2", "B,1,2", None]) == {7: "A,1,2"}
    assert lines.raw_of([7, 8]) == {7: "A,1,2", 8: "C,1,2"}
    assert lines.raw_of([7, 99]) is None, "of which nothing is known"


@pytest.mark.parametrize("line", ["A,1,2,", "A,1", 'A,"1",2', "#A,1,2", "A\n,1,2", "A,\t,2", " A,1,2", "A,1,2\x7f"])
def test_what_no_reader_takes_as_it_stands_is_never_met(line: str) -> None:
    """Also where another record makes up for its delimiters; a blank within is looked at, and taken."""
    lines = known(line, "B C,1,2", "D,1,2")
    assert lines.unclean == [line]
    assert [text for _, text in lines.unknown(1, [line, "B C,1,2", "D,1,2"])] == [line]


def test_where_too_much_is_unknown_on_either_side_nothing_is_gained() -> None:
    with pytest.raises(TooManyUnknown):
        known("A,1,2", most=1).unknown(1, ["B,1,2", "C,1,2"])
    with pytest.raises(TooManyUnknown):
        known("A,1,2", None, most=1).not_met()


def test_a_sum_of_what_was_met() -> None:
    lines = known("A,1,2", "B,,3", "C,5,9")
    lines.unknown(1, ["A,1,2", "B,,3"])
    assert [lines.sum_of(place) for place in (1, 2)] == [Decimal(1), Decimal(5)]


def given(path: Path, *ours: str) -> tuple[str, KnownLines, CsvStatement]:
    statement = CsvStatement(path, Kind.EXECUTIONS)
    lines = KnownLines(delimiter=",", width=3, is_clean=re.compile(r"[^,]+,[^,]+,[^,]+").fullmatch, most=100)
    lines.add(ours)
    return "".join(statement.copy_blocks(lines)), lines, statement


def test_a_reader_counts_what_is_known_and_gives_the_rest(tmp_path: Path) -> None:
    path = written(tmp_path, "exec_id,last_qty,last_px\r\nA,1,2\r\nB,1,2\r\nA,1,2\r\nC,x,2\r\n")
    text, lines, statement = given(path, "A,1,2", "C,x,2")
    assert text == "3,B,1,2\n4,A,1,2\n"
    assert (statement.good, lines.met, len(statement.problems.counts)) == (4, 2, 0), "whoever puts it in answers for it"


def test_within_quotes_and_behind_a_trailer_nothing_is_known(tmp_path: Path) -> None:
    quoted = written(tmp_path, 'exec_id,last_qty,last_px\n"X\nA,1,2\nY",1,2\nA,1,2\n')
    text, lines, _ = given(quoted, "A,1,2")
    assert (lines.met, lines.found(["A,1,2"])) == (1, {5: "A,1,2"})
    assert text == "", "and the record that holds it is no text of ours"
    with pytest.raises(FileProblem) as told:
        given(written(tmp_path, "exec_id,last_qty,last_px\nB,1,2\n#TRAILER rows=1\nA,1,2\n"), "A,1,2")
    assert told.value.code == "FILE_ROWS_AFTER_END"


def columns_of(folder: Path, *lines: str, header: str = HEADER) -> Sequence[Spelled] | None:
    found = spelling_of(written(folder, "\n".join([header, *lines, ""])), Kind.EXECUTIONS)
    return found.columns if found is not None else None


def test_a_spelling_is_that_of_most_rows(tmp_path: Path) -> None:
    rows = ["A,,10.00,1.5,2026-11-20T10:00:00Z", "B,,5.00,1.25,2026-11-20T10:00:00.118Z", "C,O1,7,2,20261120-10:00:00"]
    found = columns_of(tmp_path, *rows, *rows[:1])
    assert found is not None
    assert [(one.said, one.decimals) for one in found] == [
        (True, None),
        (False, None),
        (True, 2),
        (True, None),
        (True, None),
    ]
    assert (found[4].fractions, found[4].between, found[4].zone) == ((0, 3), "T", "Z")
    spaced = columns_of(tmp_path, "A,O,1,1,2026-11-20 10:00:00.000001+00:00")
    assert spaced is not None
    assert (spaced[4].fractions, spaced[4].between, spaced[4].zone) == ((6,), " ", "+00:00")


@pytest.mark.parametrize(
    "lines", [[], ["A,O1,1,1,2026-11-20T10:00:00.12Z"], ["A,O1,1,1,2026-11-20T10:00:00+01:00"], ["A,O1,x,1,"]]
)
def test_what_cannot_be_written_alike_has_no_spelling(tmp_path: Path, lines: list[str]) -> None:
    assert columns_of(tmp_path, *lines) is None
    assert columns_of(tmp_path, "A,1,1,x", header="exec_id,last_qty,last_px,note") is None, "a column that is not ours"


def test_names_of_ours_are_never_longer_than_a_file_may_say_them() -> None:
    """What is known is not measured again."""

    longest = {one.name: one.longest for one in COLUMNS[Kind.EXECUTIONS]}
    for model, field, name in (
        (Execution, "exec_id", "exec_id"), (Execution, "cl_ord_id", "cl_ord_id"), (Order, "venue_order_id", "venue_order_id"),
        (TradingAccount, "code", "account"), (Listing, "symbol", "symbol"), (Listing, "venue_symbol", "symbol"),
    ):  # fmt: skip
        assert getattr(model._meta.get_field(field), "max_length", 0) in range(1, longest[name] + 1)
