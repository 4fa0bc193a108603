"""What a corporate action says: its kind, dates and figures. Decides which notices are complete and consistent. Pure.

Figures are exact decimals. A split turns ``ratio_old`` shares into ``ratio_new``; a dividend pays ``amount`` of
``currency`` for each share; ``fraction_px`` is the money of ``currency`` for one whole new share. The ex date is the first
trade date without the old entitlement.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Any, TypeVar

from kernel.numbers import ZERO, parse_decimal, plain
from refdata.domain.identifiers import is_currency, is_isin

MAX_RATIO = Decimal(1_000_000)
MAX_NAME = 24
Word = TypeVar("Word", bound=StrEnum)


class ActionKind(StrEnum):
    """What the issuer does."""

    SPLIT = "split"
    REVERSE_SPLIT = "reverse_split"
    CASH_DIVIDEND = "cash_dividend"
    NAME_CHANGE = "name_change"

    @property
    def is_split(self) -> bool:
        """Whether it changes numbers of shares."""
        return self in (ActionKind.SPLIT, ActionKind.REVERSE_SPLIT)


class Fractions(StrEnum):
    """What becomes of a part of a share: money at the stated price, a whole share, nothing."""

    CASH = "cash"
    UP = "up"
    DOWN = "down"


KIND_WORDS = {
    ActionKind.SPLIT: "Split",
    ActionKind.REVERSE_SPLIT: "Reverse split",
    ActionKind.CASH_DIVIDEND: "Cash dividend",
    ActionKind.NAME_CHANGE: "Symbol or ISIN change",
}


@dataclass(frozen=True, slots=True)
class ActionTerms:
    """One version of a notice. What its kind has no use for is None or empty."""

    kind: ActionKind
    ex_date: date
    record_date: date | None = None
    pay_date: date | None = None
    ratio_new: Decimal | None = None
    ratio_old: Decimal | None = None
    amount: Decimal | None = None
    currency: str = ""
    fractions: Fractions = Fractions.CASH
    fraction_px: Decimal | None = None
    new_symbol: str = ""
    new_venue_symbol: str = ""
    new_isin: str = ""

    @property
    def ratio(self) -> tuple[Decimal, Decimal]:
        """New and old shares of a split. Raises ValueError for anything else."""
        if self.ratio_new is None or self.ratio_old is None:
            raise ValueError(f"a {self.kind} has no ratio")
        return self.ratio_new, self.ratio_old

    @property
    def is_paid(self) -> bool:
        """Whether money follows on the pay date."""
        return self.kind is ActionKind.CASH_DIVIDEND

    @property
    def sentence(self) -> str:
        """The terms in words, without the instrument."""
        if self.kind.is_split:
            new, old = self.ratio
            return f"{KIND_WORDS[self.kind]}: {plain(new)} new for {plain(old)} old, ex {self.ex_date}"
        if self.kind is ActionKind.CASH_DIVIDEND:
            paid = f", paid {self.pay_date}" if self.pay_date else ""
            return f"Cash dividend: {plain(self.amount or ZERO)} {self.currency} a share, ex {self.ex_date}{paid}"
        named = " and ".join(name for name in (self.new_symbol, self.new_isin) if name)
        return f"New name from {self.ex_date}: {named}"


COLUMNS = tuple(field.name for field in fields(ActionTerms))
_DATES = ("ex_date", "record_date", "pay_date")
_FIGURES = ("ratio_new", "ratio_old", "amount", "fraction_px")


def terms_to_json(terms: ActionTerms) -> dict[str, Any]:
    """As plain JSON: dates and decimals as text."""
    found: dict[str, Any] = {}
    for name in COLUMNS:
        value = getattr(terms, name)
        if isinstance(value, Decimal):
            value = plain(value)
        elif isinstance(value, date):
            value = value.isoformat()
        elif isinstance(value, StrEnum):
            value = value.value
        found[name] = value
    return found


def terms_from_json(body: Mapping[str, Any]) -> ActionTerms:
    """The inverse of :func:`terms_to_json`."""
    values = {name: body[name] for name in COLUMNS}
    values["kind"], values["fractions"] = ActionKind(values["kind"]), Fractions(values["fractions"])
    for name in _DATES:
        values[name] = date.fromisoformat(values[name]) if values[name] else None
    for name in _FIGURES:
        values[name] = Decimal(values[name]) if values[name] is not None else None
    return ActionTerms(**values)


def read_terms(cells: Mapping[str, str]) -> tuple[ActionTerms | None, dict[str, str]]:
    """Terms as somebody typed them or a file has them, and what is wrong with them: a sentence for each field."""
    faults: dict[str, str] = {}
    text = {name: cells.get(name, "").strip() for name in COLUMNS}
    values: dict[str, Any] = {
        name: text[name].upper() for name in ("currency", "new_symbol", "new_venue_symbol", "new_isin")
    }
    for name in _DATES:
        values[name] = _date(text[name], name, faults)
    for name in _FIGURES:
        values[name] = _figure(text[name], name, faults)
    values["kind"] = _choice(ActionKind, text["kind"], "kind", faults)
    values["fractions"] = _choice(Fractions, text["fractions"] or Fractions.CASH, "fractions", faults)
    if values["ex_date"] is None and "ex_date" not in faults:
        faults["ex_date"] = "The ex date is missing."
    if faults:
        return None, faults
    terms = ActionTerms(**values)
    faults = faults_of(terms)
    return (None if faults else terms), faults


def faults_of(terms: ActionTerms) -> dict[str, str]:
    """What is wrong with complete terms, by field; nothing for good ones."""
    faults = _date_faults(terms)
    if terms.kind.is_split:
        faults |= _split_faults(terms)
    elif terms.kind is ActionKind.CASH_DIVIDEND:
        if terms.amount is None:
            faults["amount"] = "A dividend needs an amount a share."
        if not is_currency(terms.currency):
            faults["currency"] = "A dividend needs the ISO code of its currency."
        if terms.pay_date is None:
            faults["pay_date"] = "A dividend needs a pay date."
    else:
        faults |= _name_faults(terms)
    return faults


def _date_faults(terms: ActionTerms) -> dict[str, str]:
    faults: dict[str, str] = {}
    if terms.record_date is not None and terms.record_date < terms.ex_date:
        faults["record_date"] = "The record date lies before the ex date."
    if terms.pay_date is not None and terms.pay_date < (terms.record_date or terms.ex_date):
        faults["pay_date"] = "The pay date lies before the record date."
    return faults


def _split_faults(terms: ActionTerms) -> dict[str, str]:
    new, old = terms.ratio_new, terms.ratio_old
    if new is None or old is None:
        return {"ratio_new": "A split needs both sides of its ratio."}
    if not ZERO < new <= MAX_RATIO or not ZERO < old <= MAX_RATIO:
        return {"ratio_new": f"Both sides of the ratio lie above 0 and at most at {MAX_RATIO:f}."}
    if (terms.kind is ActionKind.SPLIT) != (new > old):
        return {"ratio_new": "A split makes more shares of fewer, a reverse split fewer of more."}
    if terms.fractions is Fractions.CASH and terms.fraction_px is None:
        return {"fraction_px": "Say what one whole new share is paid with, or choose another rule for fractions."}
    if terms.fraction_px is not None and not is_currency(terms.currency):
        return {"currency": "The price of fractions needs the ISO code of its currency."}
    return {}


def _name_faults(terms: ActionTerms) -> dict[str, str]:
    faults: dict[str, str] = {}
    if not terms.new_symbol and not terms.new_isin:
        faults["new_symbol"] = "Give a new symbol, a new ISIN or both."
    if terms.new_isin and not is_isin(terms.new_isin):
        faults["new_isin"] = "This is no ISIN: check its last digit."
    if bool(terms.new_symbol) != bool(terms.new_venue_symbol):
        faults["new_venue_symbol"] = "A new symbol needs the venue's symbol, and the other way round."
    for name in ("new_symbol", "new_venue_symbol"):
        if len(getattr(terms, name)) > MAX_NAME:
            faults[name] = f"At most {MAX_NAME} characters."
    return faults


def _date(text: str, name: str, faults: dict[str, str]) -> date | None:
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        faults[name] = f"{text[:20]!r} is no date: write 2026-11-30."
        return None


def _figure(text: str, name: str, faults: dict[str, str]) -> Decimal | None:
    if not text:
        return None
    value = parse_decimal(text)
    if value is None or value <= ZERO or value != round(value, 8) or value >= 10**12:
        faults[name] = f"{text[:40]!r} is not a number above zero with at most 8 decimals."
        return None
    return value


def _choice(words: type[Word], text: str, name: str, faults: dict[str, str]) -> Word | None:
    try:
        return words(text)
    except ValueError:
        faults[name] = f"Choose one of {', '.join(words)}."
        return None
