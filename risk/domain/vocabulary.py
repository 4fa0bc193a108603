"""The closed vocabulary of rules: every fact a rule may name, what it is, and how it is read off ``Facts``.

A fact that nobody knows is UNKNOWN and makes the rule refuse; one that an order simply has not (the limit of a market
order) is NOT_APPLICABLE and makes the condition fail. Nothing outside this table can be named.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from kernel.fix import OrdType, Side, TimeInForce
from kernel.numbers import ZERO
from refdata.domain.sessions import Phase
from risk.domain.exposure import order_value
from risk.domain.facts import Action, Facts
from risk.domain.rulebook.conditions import Absent, FactValue

HUNDRED = Decimal(100)
ORDER_SOURCES = ("api", "flow", "staged", "ticket", "upload", "venue")


class FactKind(StrEnum):
    """Texts and choices are compared by in / not in, numbers by above / below."""

    TEXT = "text"
    CHOICE = "choice"
    NUMBER = "number"


@dataclass(frozen=True, slots=True)
class NamedFact:
    """One word of the vocabulary. ``unit`` is printed behind numbers; ``choices`` are the only texts a choice may be."""

    name: str
    title: str
    kind: FactKind
    read: Callable[[Facts], FactValue | Absent]
    unit: str = ""
    choices: tuple[str, ...] = ()


def _words(enum: type[StrEnum]) -> tuple[str, ...]:
    return tuple(sorted(member.name.lower() for member in enum))


def _known(text: str) -> FactValue | Absent:
    return text if text else Absent.UNKNOWN


def _notional(facts: Facts) -> FactValue | Absent:
    value = order_value(facts)
    return value.amount if value is not None else Absent.UNKNOWN


def _distance(facts: Facts) -> FactValue | Absent:
    if facts.terms.price is None:
        return Absent.NOT_APPLICABLE
    price = facts.listing.price
    if price is None or price.last <= ZERO:
        return Absent.UNKNOWN
    return abs(facts.terms.price - price.last) / price.last * HUNDRED


def volume_percent(facts: Facts) -> FactValue | Absent:
    """The quantity as a percentage of the listing's average daily volume."""
    volume = facts.listing.average_daily_volume
    if volume is None or volume <= ZERO:
        return Absent.UNKNOWN
    return facts.terms.order_qty / volume * HUNDRED


def spread_percent(facts: Facts) -> FactValue | Absent:
    """The quoted spread as a percentage of its middle."""
    price = facts.listing.price
    if price is None or price.bid is None or price.ask is None or price.bid <= ZERO or price.ask < price.bid:
        return Absent.UNKNOWN
    return (price.ask - price.bid) / ((price.ask + price.bid) / 2) * HUNDRED


def _price_age(facts: Facts) -> FactValue | Absent:
    price = facts.listing.price
    if price is None:
        return Absent.UNKNOWN
    return Decimal(price.age_s(facts.at))


_TEXTS: tuple[tuple[str, str, Callable[[Facts], FactValue | Absent]], ...] = (
    ("symbol", "Symbol", lambda f: f.listing.symbol),
    ("isin", "ISIN", lambda f: _known(f.listing.isin)),
    ("market", "Market (MIC)", lambda f: f.listing.mic),
    ("asset_class", "Asset class", lambda f: _known(f.listing.asset_class)),
    ("currency", "Currency", lambda f: f.listing.currency),
    ("account", "Account", lambda f: f.account.code),
    ("strategy", "Strategy", lambda f: f.conduct.strategy or Absent.NOT_APPLICABLE),
)
_CHOICES: tuple[tuple[str, str, Callable[[Facts], FactValue | Absent], tuple[str, ...]], ...] = (
    ("side", "Side", lambda f: f.terms.side.name.lower(), _words(Side)),
    ("order_type", "Order type", lambda f: f.terms.ord_type.name.lower(), _words(OrdType)),
    ("time_in_force", "Time in force", lambda f: f.terms.time_in_force.name.lower(), _words(TimeInForce)),
    ("phase", "Session phase", lambda f: f.listing.phase.value, tuple(sorted(member.value for member in Phase))),
    ("source", "Source", lambda f: _known(f.conduct.source), ORDER_SOURCES),
    ("action", "New or replace", lambda f: f.action.value, tuple(sorted(member.value for member in Action))),
    ("account_state", "State of the account", lambda f: f.account.state, ("active", "closed", "frozen", "reduce_only")),
)
_NUMBERS: tuple[tuple[str, str, Callable[[Facts], FactValue | Absent], str], ...] = (
    ("quantity", "Quantity", lambda f: f.terms.order_qty, "units"),
    ("notional", "Value in the listing's currency", _notional, ""),
    ("limit_price", "Limit price", lambda f: f.terms.price or Absent.NOT_APPLICABLE, ""),
    ("distance", "Distance of the limit from the last price", _distance, "%"),
    ("volume_share", "Share of the average daily volume", volume_percent, "%"),
    ("spread", "Quoted spread", spread_percent, "%"),
    ("price_age", "Age of the reference price", _price_age, "s"),
)
VOCABULARY: dict[str, NamedFact] = {
    fact.name: fact
    for fact in (
        *(NamedFact(name, title, FactKind.TEXT, read) for name, title, read in _TEXTS),
        *(NamedFact(name, title, FactKind.CHOICE, read, choices=words) for name, title, read, words in _CHOICES),
        *(NamedFact(name, title, FactKind.NUMBER, read, unit) for name, title, read, unit in _NUMBERS),
    )
}


def value_of(facts: Facts, name: str) -> FactValue | Absent:
    """The named fact of this request; a word that is not (or no longer) in the vocabulary is unknown."""
    fact = VOCABULARY.get(name)
    return fact.read(facts) if fact is not None else Absent.UNKNOWN
