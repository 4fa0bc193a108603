"""Lines that our own books would write word for word: where the file has one, both sides say the same, and nobody needs to
read, type or join it.

Both sides come side by side, ours as they are written down and theirs as they are read, and a line waits only until its equal
comes from the other side. So what is held of lines that agree is few, and all that is done to a line is done to thousands at once, by
sets of texts. What is left of either side is what the other does not say.

Whole texts are compared, and a line stands for as many records as write it: one of theirs that comes again while the first waits, or
after it was met, is left with all that are like it. What may be compared is clean (`csv_clean`): of the right width, without
quotes or control characters, each value one the reader takes as it stands, for it is one of ours. Whoever reads the file says
which lines are not.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Generator, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import compress, zip_longest
from typing import Final

_PLAIN: Final = bytes(sorted({*range(0x20, 0x100)} - {0x22, 0x23, 0x7F}))
"""Bytes that may stand within a clean line: no control characters, quotes or the mark of a comment."""


class TooManyUnknown(Exception):
    """So little of the file is known, or is still so, that all of it is to be read."""


@dataclass(frozen=True, slots=True)
class Lines:
    """Some lines of a file and their numbers; ``aside`` are those among them that are no rows, or not by themselves."""

    numbers: Sequence[int]
    texts: Sequence[str]
    aside: Sequence[tuple[int, str]] = field(default=())


class KnownLines:
    """``meet`` the file; then ``met`` of its lines are known, ``raw`` are the others, by their number, as they stand, and
    ``not_met`` are the lines of ours that it does not have once each. ``written`` records of ours have a line, ``unwritten`` none.

    ``ours`` gives our records as lines, many at once, None for one that has none. ``is_clean`` judges one line of the file. Where
    more than ``most`` are left on either side nothing is gained.
    """

    def __init__(
        self,
        ours: Callable[[], Generator[Sequence[str | None]]],
        *,
        delimiter: str,
        width: int,
        is_clean: Callable[[str], object],
        most: int,
    ) -> None:
        self.delimiter = delimiter
        self.between = width - 1
        self.is_clean = is_clean
        self.met = self.written = self.unwritten = 0
        self.raw: dict[int, str] = {}
        self.not_met: set[str] = set()
        self._ours = ours
        self._most = most
        self._plain = _PLAIN.replace(delimiter.encode(), b"")
        self._edges = (f" {delimiter}", f"{delimiter} ", " \n", "\n ")
        self._waiting: set[str] = set()
        self._repeated: set[str] = set()
        self._read: list[Lines] = []

    def all_plain(self, text: str, lines: int) -> bool:
        """Whether so many whole lines are clean, whatever their values are, told by a cheap look at all of them."""
        if " " in text and (text[0] == " " or any(edge in text for edge in self._edges)):
            return False
        line = self.delimiter.encode() * self.between + b"\n"
        return text.encode().translate(None, self._plain) == line * lines

    def meet(self, theirs: Iterable[Lines]) -> None:
        """Take both sides to their ends. Raises TooManyUnknown, and whatever reading the file does."""
        aside: dict[int, str] = {}
        with closing(self._ours()) as ours:
            for records, block in zip_longest(ours, theirs):
                if records is not None:
                    self._take_ours(records)
                if block is not None:
                    aside.update(block.aside)
                    self._take_theirs(block)
                in_vain = (() if records else self._waiting, () if block else self.not_met, aside)
                if max(map(len, in_vain)) > self._most:
                    raise TooManyUnknown
        self._tell_left(aside)

    def _take_ours(self, records: Sequence[str | None]) -> None:
        lines = set(records)
        without = records.count(None) if None in lines else 0
        lines.discard(None)
        self.unwritten += without
        self.written += len(records) - without
        met = lines & self._waiting
        self._waiting -= met
        lines -= met
        self.not_met |= lines  # type: ignore[arg-type]

    def _take_theirs(self, block: Lines) -> None:
        self._read.append(block)
        lines = set(block.texts)
        if len(lines) < len(block.texts):
            self._repeated |= {line for line, times in Counter(block.texts).items() if times > 1}
        met = lines & self.not_met
        self.not_met -= met
        lines -= met
        self._repeated |= lines & self._waiting
        self._waiting |= lines

    def _tell_left(self, aside: dict[int, str]) -> None:
        """What waits in vain on either side, and what came again while it waited: of each of these texts all that the file has.

        So of any text either all is left, of both sides, or the file has no more of it than we have.
        """
        left = self._find(self._waiting | self._repeated | self.not_met)
        self.met = sum(len(block.texts) for block in self._read) - len(left)
        self.not_met |= {line for line, times in Counter(left.values()).items() if times > 1}
        self.raw = aside | left
        if max(len(self.raw), len(self.not_met) + self.unwritten) > self._most:
            raise TooManyUnknown

    def _find(self, wanted: Collection[str]) -> dict[int, str]:
        """Where the file has these, each time."""
        found: dict[int, str] = {}
        for block in self._read if wanted else ():
            here = list(map(wanted.__contains__, block.texts))
            found.update(zip(compress(block.numbers, here), compress(block.texts, here), strict=True))
        return found

    def found(self, lines: Iterable[str | None]) -> dict[int, str]:
        """Those of ours that were met, by their numbers in the file."""
        found = self._find({line for line in lines if line is not None})
        left_out = {number: line for number, line in found.items() if number not in self.raw}
        self.raw.update(left_out)
        return left_out

    def sum_of(self, place: int) -> Decimal:
        """What the numbers in one place of the lines that were met come to."""
        figures: Counter[str] = Counter()
        for block in self._read:
            met = (line for number, line in zip(block.numbers, block.texts, strict=True) if number not in self.raw)
            figures.update(line.split(self.delimiter, place + 1)[place] for line in met)
        return sum((Decimal(figure) * times for figure, times in figures.items() if figure), Decimal(0))

    def forget(self) -> None:
        """Let go of what was met: nothing more will be ``found`` or summed."""
        self._read = []

    def raw_of(self, lines: Collection[int]) -> dict[int, str] | None:
        """The records of these lines as they stand; None where one of them may go on in the next line."""
        found = {line: self.raw.get(line, '"') for line in lines}
        return None if any('"' in text for text in found.values()) else found
