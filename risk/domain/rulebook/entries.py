"""The entries of the rulebook as checks read them. All of them frozen, all of them data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from risk.domain.answers import Verdict
from risk.domain.rulebook.conditions import Condition

Pair = tuple[str, str]
"""(scope, scope_id), as limits and blocks name them."""

CONTACT_COMPLIANCE = "restricted, contact compliance"


@dataclass(frozen=True, slots=True)
class Dated:
    """Something that is in force from a time on, up to but not including another."""

    effective_from: datetime
    effective_until: datetime | None

    def in_force(self, at: datetime) -> bool:
        return self.effective_from <= at and (self.effective_until is None or at < self.effective_until)


@dataclass(frozen=True, slots=True)
class RuleEntry:
    """A rule of compliance: where all conditions hold in its scope, ``verdict`` with ``sentence``."""

    code: str
    pair: Pair
    conditions: tuple[Condition, ...]
    verdict: Verdict
    sentence: str
    dated: Dated
    version: int
    owner: str = ""

    @property
    def answer_code(self) -> str:
        """The code of its answers: told apart from the checks of the house."""
        return f"RULE_{self.code}"


@dataclass(frozen=True, slots=True)
class RestrictionEntry:
    """An entry of the restricted or the watch list. Why is not here: nobody who judges an order needs to know."""

    id: str
    reference: str
    watch: bool
    subject: str  # instrument, issuer
    subject_id: str
    pair: Pair
    sides: str  # both, buy, sell
    dated: Dated

    def concerns(self, *, buys: bool) -> bool:
        return self.sides == "both" or (self.sides == "buy") == buys


@dataclass(frozen=True, slots=True)
class MandateEntry:
    """What may be traded in a scope; None allows everything of its kind."""

    pair: Pair
    markets: frozenset[str] | None
    asset_classes: frozenset[str] | None
    currencies: frozenset[str] | None
    short_allowed: bool


@dataclass(frozen=True, slots=True)
class CollarEntry:
    """Marks of the distance from the last price for an asset class and a session phase; the empty text is any."""

    asset_class: str
    phase: str
    warn: Decimal | None
    hard: Decimal


@dataclass(frozen=True, slots=True)
class Policy:
    """Marks of conduct. Percentages as numbers (25 is 25 %); None is a mark that is not set, and is never reached.

    ``duplicate_window_s`` 0 looks for no twins. ``self_trade`` says what a crossing order of the same account, client or
    firm answers. ``*_unknown`` is the answer where the volume, or the quotes, of a listing are not known.
    """

    duplicate_window_s: int
    self_trade: Mapping[str, Verdict]
    volume_warn: Decimal | None
    volume_hard: Decimal | None
    volume_unknown: Verdict
    spread_warn: Decimal | None
    depth_warn: Decimal | None
    book_unknown: Verdict
    basket_orders: int
    basket_notional: Mapping[str, Decimal]
    basket_ratio: Decimal | None
