"""Which lines of a CSV another one of the same columns has not, and the reverse: one pass over both, side by side.

Files of two mornings say nearly the same in nearly the same order. So lines are first compared where they stand and only those that
differ are looked for elsewhere; what is held is the lines that wait for their equal, never a file. The day that each file writes
behind every row is blanked: a row that says the same of another day is equal.

It answers only where equal lines are certain to be equal rows: no quotes, no line twice among those that wait, not more waiting than
``MOST``, the other file readable to its end. Otherwise it says that it cannot (``found`` is None) and whoever asked reads both files whole.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import compress
from operator import ne
from typing import Final

from reconciliation.formats.problems import FileProblem

MOST: Final = 200_000
_DAY: Final = re.compile(r"(?:19|20|21)\d\d-\d\d-\d\d", re.ASCII)


@dataclass(frozen=True, slots=True)
class Found:
    """Lines of the one file alone, by number; and lines of the other alone, by number and as they stand but for the day."""

    ours: tuple[int, ...]
    theirs: tuple[tuple[int, str], ...]


class LineDifference:
    """``take`` every block of the one file in order, then ask ``found``. ``theirs`` gives the blocks of the other.

    Blocks are whole lines with the number of the first, behind the header. ``day_at``: which column holds the day, if one does.
    """

    def __init__(self, theirs: Iterable[tuple[int, str]], *, delimiter: str, day_at: int | None) -> None:
        self._blocks = iter(theirs)
        self._beside: list[str] = []
        self._beside_from = 0
        self._blank_theirs = _Blank(delimiter, day_at)
        self._blank_ours = _Blank(delimiter, day_at)
        self._ours: dict[str, int] = {}
        self._theirs: dict[str, int] = {}
        self._able = True

    def take(self, number: int, text: str) -> None:
        """The next block of the one file."""
        if not self._able or '"' in text:
            self._able = False
            return
        mine = self._blank_ours(text)[:-1].split("\n")
        begin, beside = self._next(len(mine))
        at = list(compress(range(len(beside)), map(ne, mine, beside)))
        ours = [(number + place, mine[place]) for place in (*at, *range(len(beside), len(mine)))]
        if ours:
            self._wait(ours, [(begin + place, beside[place]) for place in at])

    def found(self) -> Found | None:
        """What neither has of the other; None where that cannot be said."""
        rest: list[str] | None = None
        while self._able and rest != []:
            begin, rest = self._next(10_000)
            self._wait([], list(enumerate(rest, begin)))
        if not self._able:
            return None
        return Found(
            tuple(sorted(self._ours.values())),
            tuple(sorted((number, line) for line, number in self._theirs.items())),
        )

    def _next(self, count: int) -> tuple[int, list[str]]:
        """So many more lines of the other file, fewer at its end, and the number of the first."""
        while len(self._beside) < count and self._read():
            pass
        begin, lines = self._beside_from, self._beside[:count]
        self._beside = self._beside[count:]
        self._beside_from += len(lines)
        return begin, lines

    def _read(self) -> bool:
        """One more block of the other file; False where there is none or none that helps."""
        try:
            number, text = next(self._blocks, (0, ""))
        except FileProblem:  # whoever reads the other file whole will say so
            self._able = False
            return False
        if not text or '"' in text:
            self._able = self._able and not text
            return False
        if not self._beside:
            self._beside_from = number
        self._beside += self._blank_theirs(text)[:-1].split("\n")
        return True

    def _wait(self, ours: list[tuple[int, str]], theirs: list[tuple[int, str]]) -> None:
        """Lines that found no equal beside them wait for it; those whose equal waits already wait no longer."""
        mine = {line: number for number, line in ours}
        others = {line: number for number, line in theirs}
        if len(mine) < len(ours) or len(others) < len(theirs):
            self._able = False
            return
        for line in mine.keys() & others.keys():
            del mine[line], others[line]
        for line in mine.keys() & self._theirs.keys():
            del mine[line], self._theirs[line]
        for line in others.keys() & self._ours.keys():
            del others[line], self._ours[line]
        before = len(self._ours) + len(self._theirs)
        self._ours |= mine
        self._theirs |= others
        waiting = len(self._ours) + len(self._theirs)
        if waiting > MOST or waiting < before + len(mine) + len(others):
            self._able = False


class _Blank:
    """Takes the day of the first row that has one out of its column, in every row that says the same day."""

    def __init__(self, delimiter: str, day_at: int | None) -> None:
        self._delimiter = delimiter
        self._day_at = day_at
        self._take: Callable[[str], str] | None = None

    def __call__(self, text: str) -> str:
        if self._day_at is None:
            return text
        if self._take is None:
            self._take = self._made(text, self._day_at)
            if self._take is None:
                return text
        return self._take(text)

    def _made(self, text: str, day_at: int) -> Callable[[str], str] | None:
        for line in text.split("\n"):
            cells = line.split(self._delimiter)
            if not line.startswith("#") and len(cells) > day_at and _DAY.fullmatch(cells[day_at]):
                return self._by_place(cells[day_at], day_at, last=day_at == len(cells) - 1)
        return None

    def _by_place(self, day: str, day_at: int, *, last: bool) -> Callable[[str], str]:
        delimiter = self._delimiter
        if last:  # no cell holds a line end, so this is always the last cell of a line
            said, blank = f"{delimiter}{day}\n", f"{delimiter}\n"
            return lambda text: text.replace(said, blank)
        end = re.escape(delimiter)
        place = re.compile(rf"^((?:[^{end}\n]*{end}){{{day_at}}}){day}(?={end}|$)", re.MULTILINE)
        return lambda text: place.sub(r"\1", text)
