"""Lines that are known, and how a file spells what it says: what is taken out of a file is what could be read as it stands."""

from __future__ import annotations

import hashlib
import random
import re
from collections import Counter
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

import pytest

from accounts.models import TradingAccount
from orders.models import Execution, Order
from reconciliation.domain.records import COLUMNS, Kind
from reconciliation.formats.csv_file import CsvStatement
from reconciliation.formats.known_lines import KnownLines, Lines, TooManyUnknown
from reconciliation.formats.problems import FileProblem
from reconciliation.formats.spelling import Spelled, spelling_of
from refdata.models import Listing
from tests.unit.reconciliation.files import written

HEADER = "exec_id,cl_ord_id,last_qty,last_px,transact_time"


Sides = Sequence[Sequence[str | None]]


def known(*chunks: Sequence[str | None], most: int = 100, width: int = 3) -> KnownLines:
    clean = re.compile(r"[A-Z]\d* ?[A-Z]?,\d*,\d*").fullmatch
    return KnownLines(lambda: (chunk for chunk in chunks), delimiter=",", width=width, is_clean=clean, most=most)


def met(ours: Sides, theirs: Sides, most: int = 100) -> KnownLines:
    """Both sides met, theirs numbered from 7."""
    found, blocks, first = known(*ours, most=most), [], 7
    for chunk in theirs:
        texts = [line for line in chunk if line is not None]
        blocks.append(Lines(range(first, first + len(texts)), texts))
        first += len(texts)
    found.meet(blocks)
    return found


def test_what_both_sides_say_once_is_met_whichever_says_it_first() -> None:
    sides: list[tuple[Sides, Sides]] = [
        ([["A,1,2", "B,1,2", None]], [["A,1,2", "C,1,2"]]),
        ([["B,1,2"], [None], ["A,1,2"]], [["A,1,2"], ["C,1,2"]]),
    ]
    for ours, theirs in sides:
        lines = met(ours, theirs)
        assert (lines.met, lines.raw, lines.not_met) == (1, {8: "C,1,2"}, {"B,1,2"})
        assert (lines.written, lines.unwritten) == (2, 1)
        assert lines.found(["A,1,2", "B,1,2", None]) == {7: "A,1,2"}
        assert lines.found(["A,1,2", "C,1,2"]) == {}, "each is put in once"
        assert lines.raw_of([7, 8]) == {7: "A,1,2", 8: "C,1,2"}
        assert lines.raw_of([7, 99]) is None, "of which nothing is known"


def test_what_comes_again_is_left_each_time_and_ours_with_it() -> None:
    for theirs in ([["A,1,2", "A,1,2"]], [["A,1,2"], ["A,1,2"]], [["B,1,2"], ["A,1,2"], ["A,1,2"]]):
        for ours in ([["A,1,2"]], [["B,1,2"], ["A,1,2"]], [["B,1,2"], [], ["C,1,2"], ["A,1,2"]]):
            lines = met(ours, theirs)
            assert [line for line in lines.raw.values() if line[0] == "A"] == ["A,1,2"] * 2
            assert "A,1,2" in lines.not_met


def test_nothing_is_lost_however_often_and_in_what_order_it_is_said() -> None:
    """Of every line all of theirs are met by as many of ours, or all of both are left; else the counts tell that this is not so."""
    dice, balanced = random.Random(7), 0
    for _ in range(400):
        sides: list[Sides] = [
            [[f"{dice.choice('ABCDEF')},1,2" for _ in range(dice.randrange(1, 4))] for _ in range(dice.randrange(5))]
            for _ in "ot"
        ]
        ours, theirs = (Counter(line for chunk in side for line in chunk if line) for side in sides)
        lines = met(sides[0], sides[1])
        left = Counter(lines.raw.values())
        kept = sum(ours[line] for line in lines.not_met)
        assert (lines.met, lines.written) == (theirs.total() - left.total(), ours.total())
        if lines.met == lines.written - kept:
            balanced += 1
            assert all(left[line] in (0, theirs[line]) for line in theirs)
            assert all(
                (left[line] == theirs[line]) if line in lines.not_met else left[line] or times == theirs[line]
                for line, times in ours.items()
            )
        else:
            assert max(ours.values()) > 1, "so only where several of ours are one line"
    assert balanced > 100


@pytest.mark.parametrize(
    "line", ["A,1,2,", "A,1", 'A,"1",2', "#A,1,2", "A,\t,2", " A,1,2", "A ,1,2", "A,1, 2", "A,1,2 ", "A,1,2\x7f"]
)
def test_what_no_reader_takes_as_it_stands_is_never_met(tmp_path: Path, line: str) -> None:
    """Also where another row makes up for its delimiters; a blank within is nothing to look at."""
    assert known().all_plain("B C,1,2\nD,1,2\n", 2)
    assert not known().all_plain(f"B C,1,2\n{line}\n", 2)
    assert not known().all_plain(f"{line}\nB C,1,2\n", 2)
    _, lines, _ = given(written(tmp_path, f"exec_id,last_qty,last_px\nD,1,2\n{line}\n"), line, "D,1,2")
    assert (lines.met, lines.not_met, lines.raw) == (1, {line}, {3: line})


def test_where_too_much_is_unknown_on_either_side_nothing_is_gained() -> None:
    sides: list[tuple[Sides, Sides]] = [
        ([], [["B,1,2", "C,1,2"]]), ([["A,1,2"], ["B,1,2"]], []), ([["A,1,2", None]], [["X,1,2"]])
    ]  # fmt: skip
    for ours, theirs in sides:
        assert len(met(ours, theirs, most=2).raw) <= 2
        with pytest.raises(TooManyUnknown):
            met(ours, theirs, most=1)


def test_a_sum_of_what_was_met() -> None:
    lines = met([["A,1,2", "B,,3", "C,5,9", "D,1,1"]], [["A,1,2", "B,,3", "D,1,1", "E,7,7"]])
    assert [lines.sum_of(place) for place in (1, 2)] == [Decimal(2), Decimal(6)]


def given(path: Path, *ours: str) -> tuple[str, KnownLines, CsvStatement]:
    statement = CsvStatement(path, Kind.EXECUTIONS)
    clean = re.compile(r"[A-Z]+,\d+,\d+").fullmatch
    lines = KnownLines(lambda: (chunk for chunk in [ours]), delimiter=",", width=3, is_clean=clean, most=999)
    statement.pass_over(lines)
    return "".join(statement.copy_blocks()), lines, statement


def test_a_reader_counts_what_is_known_and_gives_the_rest(tmp_path: Path) -> None:
    path = written(tmp_path, "exec_id,last_qty,last_px\r\nA,1,2\r\nB,1,2\r\n\r\nC,x,2\r\nD,2,2")
    text, lines, statement = given(path, "A,1,2", "D,2,2")
    assert text == "3,B,1,2\n"
    assert (statement.good, lines.met, dict(statement.problems.counts)) == (3, 2, {"NUMBER_INVALID": 1})
    assert statement.sha256 == hashlib.sha256(path.read_bytes()).hexdigest(), "of the whole file"


def test_within_quotes_and_behind_a_trailer_nothing_is_known(tmp_path: Path) -> None:
    quoted = written(tmp_path, 'exec_id,last_qty,last_px\n"X\nA,1,2\nY",1,2\n# "said\nA,1,2\n')
    text, lines, _ = given(quoted, "A,1,2")
    assert (lines.met, lines.found(["A,1,2"])) == (1, {6: "A,1,2"})
    assert text == "", "and the record that holds it is no text of ours"
    for behind in ("A,1,2", '"A",1,2'):
        with pytest.raises(FileProblem) as told:
            given(written(tmp_path, f"exec_id,last_qty,last_px\nB,1,2\n#TRAILER rows=1\n{behind}\n"), "A,1,2")
        assert told.value.code == "FILE_ROWS_AFTER_END"


def test_a_record_that_never_ends_is_told_although_what_follows_is_known(tmp_path: Path) -> None:
    rows = "A,1,2\n" * 300
    with pytest.raises(FileProblem) as told:
        given(written(tmp_path, f'exec_id,last_qty,last_px\n"X\n{rows}'), "A,1,2")
    assert (told.value.code, told.value.context["line"]) == ("FILE_RECORD_TOO_LONG", 2)


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
