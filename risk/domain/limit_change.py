"""What a change of a limit says, and which changes make no sense. Pure.

A change sets a new mark, changes or removes the one in force. Without an end it replaces what is there from now on; with a
beginning or an end it is a mark beside it that shadows it for that time, so that what is temporary ends by itself.
``on_breach`` says what becomes of orders that the new mark would not allow: they are listed either way; ``cancel`` also
cancels the newest of them until the mark holds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from kernel.numbers import plain
from risk.domain.usage import COUNTED_KINDS, COUNTING_CURRENCY, POSITION_KINDS, VALUE_KINDS

KEEP, CANCEL = "keep", "cancel"
IN_CURRENCY = frozenset({"order_notional"})
KINDS = COUNTED_KINDS | POSITION_KINDS | {"order_qty", "order_notional", "price_collar", "price_age"}
MANDATORY = frozenset({"order_qty", "order_notional", "price_collar", "price_age"})
"""Kinds without a mark of which every order is refused."""
MAX_REASON = 500
KIND_WORDS: dict[str, str] = {
    "open_notional": "Open value",
    "open_orders": "Open orders",
    "daily_gross": "Gross of the day",
    "daily_net": "Net of the day",
    "position_qty": "Position, units",
    "position_value": "Position, value",
    "concentration": "Share of an account",
    "adv_share": "Share of the daily volume",
    "order_qty": "One order, units",
    "order_notional": "One order, value",
    "price_collar": "Distance from the last price, fraction",
    "price_age": "Age of the price, seconds",
}


@dataclass(frozen=True, slots=True)
class LimitChange:
    """``hard`` None removes the mark."""

    scope: str
    scope_id: str
    kind: str
    currency: str
    warn: Decimal | None
    hard: Decimal | None
    owner: str
    effective_from: datetime | None = None
    effective_until: datetime | None = None
    on_breach: str = KEEP

    @property
    def is_dated(self) -> bool:
        """Whether it stands beside the standing mark instead of replacing it."""
        return self.effective_from is not None or self.effective_until is not None

    def faults(self, at: datetime) -> dict[str, list[str]]:
        """What is wrong with it, by field; empty when it can be asked for."""
        wrong: dict[str, list[str]] = {}
        if self.kind not in KINDS:
            wrong["kind"] = ["Choose what the limit bounds."]
        if self.kind in VALUE_KINDS and self.currency != COUNTING_CURRENCY:
            wrong["currency"] = [f"Values of this kind are counted in {COUNTING_CURRENCY}."]
        elif (self.kind in IN_CURRENCY) != (len(self.currency) == 3) and self.kind not in VALUE_KINDS:
            wrong["currency"] = ["The value of one order needs a currency; other kinds have none."]
        if self.hard is None and (self.warn is not None or self.is_dated):
            wrong["hard"] = ["A mark is removed whole and at once; for a time, set another."]
        if self.hard is not None and self.hard <= 0:
            wrong["hard"] = ["A limit is above zero; to stop a scope use a block."]
        if self.warn is not None and (self.warn < 0 or (self.hard is not None and self.warn > self.hard)):
            wrong["warn"] = ["The warning lies between zero and the limit."]
        if self.effective_until is not None and self.effective_until <= max(at, self.effective_from or at):
            wrong["effective_until"] = ["It must end after it begins, and after now."]
        if self.effective_from is not None and self.effective_from < at:
            wrong["effective_from"] = ["A change cannot begin in the past."]
        if self.on_breach not in (KEEP, CANCEL):
            wrong["on_breach"] = ["Say whether orders that no longer fit are kept or canceled."]
        if not self.owner.strip():
            wrong["owner"] = ["A limit has an owner."]
        return wrong

    def words(self, name: str) -> str:
        """One line: ``Open value of desk EQ1: 1,000,000 GBP (warning 800,000)``."""
        what = f"{KIND_WORDS[self.kind]} of {name}"
        if self.hard is None:
            return f"Remove {what}"
        warn = f" (warning {_grouped(self.warn)})" if self.warn is not None else ""
        unit = f" {self.currency}" if self.currency else ""
        begin = f" from {self.effective_from:%Y-%m-%d %H:%M} UTC" if self.effective_from else ""
        end = f" until {self.effective_until:%Y-%m-%d %H:%M} UTC" if self.effective_until else ""
        return f"{what}: {_grouped(self.hard)}{unit}{warn}{begin}{end}"

    def to_payload(self) -> dict[str, Any]:
        """Plain JSON."""
        return {
            "scope": self.scope,
            "scope_id": self.scope_id,
            "kind": self.kind,
            "currency": self.currency,
            "warn": plain(self.warn) if self.warn is not None else None,
            "hard": plain(self.hard) if self.hard is not None else None,
            "owner": self.owner,
            "effective_from": self.effective_from.isoformat() if self.effective_from else None,
            "effective_until": self.effective_until.isoformat() if self.effective_until else None,
            "on_breach": self.on_breach,
        }


def _grouped(value: Decimal) -> str:
    return f"{Decimal(plain(value)):,f}"


def change_from_payload(payload: Mapping[str, Any]) -> LimitChange:
    """The change as it was asked for."""

    def number(name: str) -> Decimal | None:
        return Decimal(payload[name]) if payload[name] is not None else None

    def time(name: str) -> datetime | None:
        return datetime.fromisoformat(payload[name]) if payload[name] is not None else None

    return LimitChange(
        scope=payload["scope"],
        scope_id=payload["scope_id"],
        kind=payload["kind"],
        currency=payload["currency"],
        warn=number("warn"),
        hard=number("hard"),
        owner=payload["owner"],
        effective_from=time("effective_from"),
        effective_until=time("effective_until"),
        on_breach=payload["on_breach"],
    )
