"""Which schedules apply to a trade. Pure.

A schedule names what it is for (market, issuer's country, asset class, account class, side; empty is any) and from when to
when. Of the schedules of one name that fit a trade the most specific counts, an account class before a market before the rest,
and of that its highest version. So a line can be another, or nothing, for some accounts without touching the rule.

Invariant: a trade is *covered* only when a schedule of commission applies, even if it says that none is charged. Nothing is
ever free by silence.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple
from uuid import UUID

from accounts.domain.fees import ChargeKind, ChargeTerms, FeeSet
from kernel.fix import Side

_LIMIT = 4096
STANDARD = "standard"
"""The class of an account that nobody has put into another."""


class FeeScope(NamedTuple):
    """What decides the schedules of a trade. ``side`` is buy or sell."""

    mic: str
    isin: str
    asset_class: str
    account_class: str
    side: str
    currency: str


def side_word(side: Side) -> str:
    """A short sale is a sale."""
    return "buy" if side.is_buy else "sell"


@dataclass(frozen=True, slots=True)
class FeeSchedule:
    """One version of one line, what it is for, and the first and last trade date it is for."""

    terms: ChargeTerms
    effective_from: date
    effective_to: date | None = None
    mic: str = ""
    issuers: tuple[str, ...] = ()
    asset_class: str = ""
    account_class: str = ""
    side: str = ""

    @property
    def scope(self) -> tuple[object, ...]:
        """What it is for; versions count within name and scope."""
        return (self.terms.name, self.mic, self.issuers, self.asset_class, self.account_class, self.side)

    @property
    def rank(self) -> tuple[bool, bool, bool, bool, bool, int]:
        """The more specific is the greater."""
        return (
            bool(self.account_class),
            bool(self.mic),
            bool(self.issuers),
            bool(self.asset_class),
            bool(self.side),
            self.terms.version,
        )

    def fits(self, scope: FeeScope, day: date) -> bool:
        """Whether it is for such a trade on that date."""
        return (
            self.effective_from <= day
            and (self.effective_to is None or day <= self.effective_to)
            and self.mic in ("", scope.mic)
            and (not self.issuers or scope.isin[:2] in self.issuers)
            and self.asset_class in ("", scope.asset_class)
            and self.account_class in ("", scope.account_class)
            and self.side in ("", scope.side)
            and self.terms.currency in ("", scope.currency)
        )


class Selected(NamedTuple):
    """The lines a trade is charged by. Not ``covered``: no schedule says so, and nobody knows."""

    terms: FeeSet
    covered: bool


NOT_COVERED = Selected((), covered=False)


@dataclass(frozen=True, slots=True)
class FeeBook:
    """All schedules under one version."""

    schedules: tuple[FeeSchedule, ...] = ()
    version: UUID | None = None
    _found: dict[tuple[FeeScope, date], Selected] = field(default_factory=dict, compare=False, repr=False)

    def select(self, scope: FeeScope, day: date) -> Selected:
        """What trades of ``day`` are charged by."""
        known = self._found.get((scope, day))
        if known is None:
            if len(self._found) >= _LIMIT:
                self._found.clear()
            known = self._found[scope, day] = _select(self.schedules, scope, day)
        return known


def _select(schedules: Iterable[FeeSchedule], scope: FeeScope, day: date) -> Selected:
    best: dict[str, FeeSchedule] = {}
    for schedule in schedules:
        held = best.get(schedule.terms.name)
        if schedule.fits(scope, day) and (held is None or schedule.rank > held.rank):
            best[schedule.terms.name] = schedule
    lines = [best[name].terms for name in sorted(best)]
    covered = any(line.kind is ChargeKind.COMMISSION for line in lines)
    return Selected(tuple(sorted((one for one in lines if not one.is_free), key=_shown)), covered)


def _shown(terms: ChargeTerms) -> tuple[int, str]:
    return (list(ChargeKind).index(terms.kind), terms.name)
