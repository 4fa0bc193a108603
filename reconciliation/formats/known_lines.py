"""Lines that our own books would write word for word: where the file has one, both sides say the same, and nobody needs to
read, type or join it.

Whoever knows the books puts in the line that each record of ours would be; whoever reads the file takes out those it meets. A
record is met once: the same line again is not known any more. What comes out may go unread only because what is put in is
clean (`csv_clean`): of the right width, without quotes, blanks or control characters, each value one the reader takes as it
stands. A record that cannot be said so is kept apart, and counts as not met.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from decimal import Decimal
from typing import Final

_PLAIN: Final = bytes(sorted({*range(0x21, 0x100)} - {0x22, 0x23, 0x7F}))
"""Bytes that may stand anywhere in a clean line: no control characters, blanks, quotes or the mark of a comment."""


class TooManyUnknown(Exception):
    """So little of the file is known, or is still so, that all of it is to be read."""


class KnownLines:
    """``met`` lines of the file were known; ``raw`` are the others, by their number, as they stand. Of ours, ``unwritten``
    have no line, and ``unclean`` are no lines that a file may have.

    ``is_clean`` judges one line of ours. Of more than ``most`` that are not met, on either side, nothing is gained.
    """

    def __init__(self, *, delimiter: str, width: int, is_clean: Callable[[str], object], most: int) -> None:
        self.delimiter = delimiter
        self.met = 0
        self.raw: dict[int, str] = {}
        self.unwritten = 0
        self.unclean: list[str] = []
        self._is_clean = is_clean
        self._most = most
        self._between = width - 1
        self._plain = _PLAIN.replace(delimiter.encode(), b"")
        self._lines: dict[str, int] = {}  # 0 until the file has it, then its line

    def add(self, records: Sequence[str | None]) -> None:
        """Records of ours as lines, None for one that has none; a cheap look at all of them first."""
        lines = [line for line in records if line is not None]
        self.unwritten += len(records) - len(lines)
        if not self._all_plain(lines):
            self.unclean += [line for line in lines if not self._is_clean(line)]
            lines = [line for line in lines if self._is_clean(line)]
        self._lines.update(dict.fromkeys(lines, 0))

    def _all_plain(self, lines: Sequence[str]) -> bool:
        """Each has a value between any two delimiters, so together so many delimiters are as many as each may have."""
        special = "".join(lines).encode().translate(None, self._plain)
        return special == self.delimiter.encode() * (self._between * len(lines))

    def __len__(self) -> int:
        return len(self._lines) + len(self.unclean) + self.unwritten

    def unknown(self, first: int, lines: Sequence[str]) -> list[tuple[int, str]]:
        """Those of whole lines that are not known, or not any more, with their numbers. Raises TooManyUnknown."""
        known, left = self._lines, []
        for number, line in enumerate(lines, first):
            if known.get(line) == 0:
                known[line] = number
            else:
                left.append((number, line))
        self.met += len(lines) - len(left)
        self.raw.update(left)
        if len(self.raw) > self._most:
            raise TooManyUnknown
        return left

    def not_met(self) -> list[str]:
        """Lines of ours that the file did not have."""
        left = [line for line, number in self._lines.items() if number == 0]
        if len(left) + len(self.unclean) + self.unwritten > self._most:
            raise TooManyUnknown
        return left

    def found(self, lines: Iterable[str | None]) -> dict[int, str]:
        """Those of ours that the file has, by their numbers in it."""
        found = {number: line for line in lines if line is not None and (number := self._lines.get(line, 0))}
        self.raw.update(found)
        return found

    def sum_of(self, place: int) -> Decimal:
        """What the numbers in one place of the lines that were met come to."""
        figures = (line.split(self.delimiter, place + 1)[place] for line, number in self._lines.items() if number)
        return sum((Decimal(figure) for figure in figures if figure), Decimal(0))

    def raw_of(self, lines: Collection[int]) -> dict[int, str] | None:
        """The records of these lines as they stand; None where one of them may go on in the next line."""
        found = {line: self.raw.get(line, '"') for line in lines}
        return None if any('"' in text for text in found.values()) else found
