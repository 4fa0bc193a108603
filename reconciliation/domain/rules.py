"""By how much records may differ and still agree, and when so much differs that the file is doubted. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal

from kernel.numbers import ZERO

SECONDS = Decimal(2)
"""Venues cut times at the second or the millisecond; two seconds apart is the same moment."""
PATIENCE = Decimal(60)
"""What happened less than this before we looked may still be on its way to us."""
SUSPECT_COUNT = Decimal(5_000)
SUSPECT_SHARE = Decimal("0.2")
SUSPECT_AT_LEAST = 50
"""Of a small file a few breaks are a large share: below this number nothing is doubted."""
START_HOLD = Decimal(600)
"""Seconds a market waits for its comparison when the house starts before a person is told; 0: it does not wait."""
DEFAULTS = {
    "seconds": SECONDS, "patience": PATIENCE, "suspect_count": SUSPECT_COUNT, "suspect_share": SUSPECT_SHARE,
    "start_hold": START_HOLD,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Rules:
    """The tolerances that stand for one kind and source: by field, or by field and currency where that was said."""

    tolerances: Mapping[tuple[str, str], Decimal] = field(default_factory=dict)
    version: int = 0

    def of(self, name: str, currency: str = "") -> Decimal:
        """What may differ of a field; nothing where no rule says so."""
        found = self.tolerances.get((name, currency), self.tolerances.get((name, "")))
        return found if found is not None else DEFAULTS.get(name, ZERO)

    def within(self, name: str, ours: Decimal, theirs: Decimal, currency: str = "") -> bool:
        """Whether two figures agree."""
        return abs(ours - theirs) <= self.of(name, currency)

    @property
    def patience(self) -> timedelta:
        """How long a record may be on its way."""
        return timedelta(microseconds=int(self.of("patience") * 1_000_000))


def doubt(*, found: int, internal: int, external: int, rules: Rules) -> str:
    """Why so many breaks say that the file is wrong and not the books; empty when they do not."""
    most, rows = int(rules.of("suspect_count")), max(internal, external)
    if found > most:
        return f"{found:,} breaks are more than the {most:,} that a sound file may have: the file is doubted, not the books."
    share = rules.of("suspect_share")
    if found >= SUSPECT_AT_LEAST and rows and found > share * rows:
        return f"{found:,} of {rows:,} records differ, more than {share * 100:.0f} % of them: the file is doubted, not the books."
    return ""
