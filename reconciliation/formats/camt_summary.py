"""What a camt.053 says that its entries come to (TxsSummry), against what they are. Pure.

Counts and sums of all entries, of the credits and of the debits. Banks count what is pending in it or leave it out: either
holds. A bank counts the reversal of a credit as a debit or as a credit less: with one in the statement the directions are
not judged, only the whole.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

from kernel.numbers import ZERO, plain
from reconciliation.formats.problems import BadValue, FileCode, FileProblem
from reconciliation.formats.values import read_number
from reconciliation.formats.xml_file import text_at

_SCOPES: Final = {"TtlNtries": "entries", "TtlCdtNtries": "credits", "TtlDbtNtries": "debits"}


@dataclass(slots=True)
class Summary:
    """Of one statement. ``counts`` and ``sums`` hold, by scope, the figure of all entries and that of the booked ones."""

    said_counts: dict[str, int] = field(default_factory=dict)
    said_sums: dict[str, Decimal] = field(default_factory=dict)
    counts: defaultdict[str, list[int]] = field(default_factory=lambda: defaultdict(lambda: [0, 0]))
    sums: defaultdict[str, list[Decimal]] = field(default_factory=lambda: defaultdict(lambda: [ZERO, ZERO]))
    reversed: bool = False

    def hear(self, element: Any) -> None:
        """What TxsSummry says; a figure that cannot be read says nothing."""
        for scope in _SCOPES:
            count, total = text_at(element, f"{scope}/NbOfNtries"), text_at(element, f"{scope}/Sum")
            if count.isascii() and count.isdigit():
                self.said_counts[scope] = int(count[:15])
            if total:
                try:
                    self.said_sums[scope] = Decimal(read_number(total))
                except BadValue as bad:
                    raise FileProblem(FileCode.STRUCTURE, f"TxsSummry, {scope}: {bad.sentence}") from bad

    def count(self, entry: Any, *, booked: bool) -> None:
        """One entry of the statement, whether it counts or not."""
        try:
            amount = abs(Decimal(read_number(text_at(entry, "Amt"))))
        except BadValue:
            amount = ZERO  # told where the entry is read; one that is not booked is not read at all
        direction = "TtlDbtNtries" if text_at(entry, "CdtDbtInd") == "DBIT" else "TtlCdtNtries"
        self.reversed = self.reversed or text_at(entry, "RvslInd").lower() in ("true", "1")
        for scope in ("TtlNtries", direction):
            for place in (0, 1)[: 1 + booked]:
                self.counts[scope][place] += 1
                self.sums[scope][place] += amount

    def judge(self, account: str) -> None:
        """Raises FileProblem FILE_COUNT_DIFFERS, FILE_SUM_DIFFERS."""
        for scope, word in _SCOPES.items():
            if self.reversed and scope != "TtlNtries":
                continue
            count, total = self.said_counts.get(scope), self.said_sums.get(scope)
            if count is not None and count not in self.counts[scope]:
                sentence = f"The statement of {account} says {count} {word} and has {self.counts[scope][0]}."
                raise FileProblem(FileCode.COUNT_DIFFERS, sentence)
            if total is not None and total not in self.sums[scope]:
                sentence = f"The statement of {account} says that its {word} sum to {plain(total)}; it is {plain(self.sums[scope][0])}."
                raise FileProblem(FileCode.SUM_DIFFERS, sentence)
