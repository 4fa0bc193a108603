"""Two files side by side: what is found is what a set of all lines finds, in whatever order and blocks they come."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from reconciliation.formats import line_difference
from reconciliation.formats.line_difference import Found, LineDifference
from reconciliation.formats.problems import FileCode, FileProblem

ROWS = [f"AC{number},GBP,{number * 7 % 1000}" for number in range(400)]


def in_blocks(lines: list[str], dice: random.Random, first: int = 2) -> Iterator[tuple[int, str]]:
    at = 0
    while at < len(lines):
        size = dice.randint(1, 60)
        yield first + at, "".join(f"{line}\n" for line in lines[at : at + size])
        at += size


def difference(ours: list[str], theirs: list[str], *, seed: int = 1, day_at: int | None = None) -> Found | None:
    dice = random.Random(seed)
    found = LineDifference(in_blocks(theirs, dice), delimiter=",", day_at=day_at)
    for number, text in in_blocks(ours, dice):
        found.take(number, text)
    return found.found()


def without_day(line: str, day_at: int | None) -> str:
    cells = line.split(",")
    if day_at is not None:
        cells[day_at] = ""
    return ",".join(cells)


def dated(row: str, day: str, day_at: int | None) -> str:
    cells = row.split(",")
    if day_at is not None:
        cells.insert(day_at, day)
    return ",".join(cells)


@pytest.mark.parametrize("day_at", [None, 0, 1, 3])
@pytest.mark.parametrize("seed", range(8))
def test_it_finds_what_all_lines_as_sets_would_find(seed: int, day_at: int | None) -> None:
    dice = random.Random(seed)
    before, now = list(ROWS), []
    for row in ROWS[20:] if seed % 2 else ROWS:
        fate = dice.random()
        if fate < 0.05:
            continue
        now.append(row.replace("GBP", "EUR") if fate < 0.1 else row)
        if fate > 0.97:
            now.append(f"{row}9")
    if seed > 5:
        dice.shuffle(now)
    ours = [dated(row, "2026-11-26", day_at) for row in now]
    theirs = [dated(row, "2026-11-25", day_at) for row in before]

    found = difference(ours, theirs, seed=seed, day_at=day_at)

    plain_ours = [without_day(line, day_at) for line in ours]
    plain_theirs = [without_day(line, day_at) for line in theirs]
    assert found is not None
    assert found.ours == tuple(at for at, line in enumerate(plain_ours, 2) if line not in set(plain_theirs))
    assert found.theirs == tuple((at, line) for at, line in enumerate(plain_theirs, 2) if line not in set(plain_ours))


def test_a_row_of_another_day_than_its_file_differs() -> None:
    found = difference(["A,1,2026-11-26", "B,1,2026-11-20"], ["A,1,2026-11-25", "B,1,2026-11-25"], day_at=2)
    assert found == Found((3,), ((3, "B,1,"),))


def test_a_day_in_another_column_is_never_blanked() -> None:
    found = difference(["2026-11-26,2026-11-26,5"], ["2026-11-25,2026-11-25,5"], day_at=1)
    assert found == Found((2,), ((2, "2026-11-25,,5"),))


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (['"A",1'], ["A,1"]),
        (["A,1"], ['"A",1']),
        (["A,1", "C,1", "C,1"], ["A,1", "B,1", "D,1"]),
        (["A,1"], ["B,1", "A,1", "A,1", "A,1"]),
    ],
)
def test_where_lines_cannot_stand_for_rows_it_says_so(ours: list[str], theirs: list[str]) -> None:
    assert difference(ours, theirs) is None


def test_a_file_that_cannot_be_read_to_its_end_is_no_answer() -> None:
    def broken() -> Iterator[tuple[int, str]]:
        yield 2, "A,1\n"
        raise FileProblem(FileCode.NUL_BYTES, "Line 3 holds a NUL byte.", line=3)

    found = LineDifference(broken(), delimiter=",", day_at=None)
    found.take(2, "A,1\nB,1\n")
    assert found.found() is None


def test_files_in_different_orders_are_not_held_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(line_difference, "MOST", 100)
    assert difference(ROWS, ROWS[::-1]) is None
    assert difference(ROWS, ROWS[30:]) == Found(tuple(range(2, 32)), ())
