"""What a request would do once approved, as its checker reads it: figures of now beside figures of then."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from kernel.numbers import Money
from risk.domain.answers import CheckAnswer, Verdict


@dataclass(frozen=True, slots=True)
class EffectLine:
    """One figure: what it is, what it is now, what it would be. Finished text, units included; ``note`` says why.

    A decision is held to the figures it was made on. ``drifts`` marks those that move by themselves in an open market:
    they are drawn anew and marked, and hold nobody up. ``may_grow`` is a figure that may grow by the tolerance first.
    """

    label: str
    now: str
    then: str
    note: str = ""
    change: str = ""
    drifts: bool = False
    may_grow: Decimal | None = None

    @property
    def changes(self) -> bool:
        return self.now != self.then


@dataclass(frozen=True, slots=True)
class MarketClose:
    """When the market an order is for closes next; ``phase`` is what it does now, in words."""

    mic: str
    phase: str
    closes_at: datetime | None


@dataclass(frozen=True, slots=True)
class Effect:
    """``headline`` says in one sentence what will happen, ``button`` what the approve button carries (never "OK").

    ``lines`` come from a dry run of now, not from what the maker entered; ``fields`` compare what is asked for with what
    stands; ``warnings`` name what has changed since it was asked or should be known; ``obstacle`` why an approval would
    not be applied now, else it is empty; ``irreversible`` what nobody can take back. ``checks`` are those of now.
    """

    headline: str
    button: str
    lines: tuple[EffectLine, ...] = ()
    warnings: tuple[str, ...] = ()
    fields: tuple[EffectLine, ...] = ()
    checks: tuple[CheckAnswer, ...] = ()
    obstacle: str = ""
    irreversible: str = ""
    value: Money | None = None
    market: MarketClose | None = None
    since: tuple[str, ...] = field(default=())

    @property
    def unchanged(self) -> tuple[EffectLine, ...]:
        """Fields that stay as they are: folded away on the page."""
        return tuple(line for line in self.fields if not line.changes)

    @property
    def is_green(self) -> bool:
        """Nothing stands against it now: it may be decided together with others."""
        return not self.obstacle and all(answer.verdict is not Verdict.REFUSE for answer in self.checks)
