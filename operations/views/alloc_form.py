"""The form of an allocation: what is typed there, as the services read it, and what of it somebody changed by hand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.http import QueryDict

from allocations.domain.methods import AMOUNT_KEY
from allocations.domain.second_person import Wanted
from allocations.domain.words import BelowMinimum, Method, PartialFill
from kernel.numbers import parse_decimal, plain

MOST_TYPED = 200
"""Lines that are shown as fields; longer proposals are shown and booked as they were saved."""
EMPTY_ROWS = 2
DEFAULTS = {"partial": PartialFill.PRO_RATA.value, "below_minimum": BelowMinimum.ZERO.value}
AMOUNT_WORDS = {
    Method.PRO_RATA: "Target, units",
    Method.WEIGHTS: "Weight",
    Method.PERCENTAGE: "Percent",
    Method.FIXED: "Quantity, units",
    Method.TARGET_POSITION: "Target position, units",
    Method.ROTATION: "Turn, units",
    Method.MANUAL: "Quantity, units",
}
PARTIAL_WORDS = {
    PartialFill.PRO_RATA: "Pro-rata of the intended",
    PartialFill.IN_ORDER: "In order, each in full",
    PartialFill.MINIMUM_FIRST: "Minimums first",
}
MINIMUM_WORDS = {
    BelowMinimum.ZERO: "gets nothing",
    BelowMinimum.RAISE: "gets its minimum",
    BelowMinimum.IGNORE: "minimums set aside",
}


@dataclass(frozen=True, slots=True)
class TypedLine:
    """One row of the form as text. ``edited``: not what was said beforehand; ``was``: what that is."""

    account: str = ""
    amount: str = ""
    minimum: str = ""
    house: bool = False
    edited: bool = False
    was: str = ""


@dataclass(frozen=True)
class AllocForm:
    """Everything typed. ``whole``: too many lines to type; then they are what scheme or stamp says."""

    method: str
    scheme: str
    lines: list[TypedLine]
    parameters: dict[str, Any]
    reason: str = ""
    whole: bool = False

    def asked(self, whole: Wanted | None = None) -> dict[str, Any]:
        """What the services take; ``whole``: what too many lines to type are taken from."""
        if self.whole and whole is not None:
            return whole.to_json()
        lines = [_json_line(line, _key(self.method)) for line in self.lines if line.account]
        return {"method": self.method, "scheme": self.scheme, "lines": lines, "parameters": self.parameters}

    @property
    def rows(self) -> list[TypedLine]:
        """The lines, and some to type more into."""
        return [line for line in self.lines if line.account or line.amount] + [TypedLine()] * EMPTY_ROWS

    @property
    def edited(self) -> bool:
        """Whether any line is not what was said beforehand."""
        return any(line.edited for line in self.lines)

    @property
    def amount_word(self) -> str:
        """What the amounts are."""
        return AMOUNT_WORDS[Method(self.method)] if self.method in set(Method) else "Amount"


def _json_line(line: TypedLine, key: str) -> dict[str, Any]:
    body: dict[str, Any] = {"account": line.account, key: as_kept(line.amount)}
    if line.minimum and as_kept(line.minimum) != "0":
        body["min_qty"] = as_kept(line.minimum)
    if line.house:
        body["house"] = True
    return body


def as_kept(text: str) -> str:
    """A number as schemes keep it, so that the same figures are the same proposal; what is none stays, to be told."""
    number = parse_decimal(text or "0")
    return text if number is None else plain(number)


def form_of(wanted: Wanted | None) -> AllocForm:
    """The form as it opens: a scheme that was chosen or what was said beforehand, else an empty one for typing by hand."""
    if wanted is None:
        return AllocForm(Method.MANUAL.value, "", [], {})
    whole = len(wanted.lines) > MOST_TYPED
    key = _key(wanted.method)
    lines = [] if whole else [_typed(line, key) for line in wanted.lines]
    return AllocForm(wanted.method, wanted.scheme, lines, dict(wanted.parameters or {}), whole=whole)


def _key(method: str) -> str:
    return AMOUNT_KEY[Method(method)] if method in set(Method) else "qty"


def _typed(line: Mapping[str, Any], key: str) -> TypedLine:
    return TypedLine(line["account"], line.get(key, "0"), line.get("min_qty", ""), line.get("house", False))


def read_form(data: QueryDict, beforehand: Wanted | None) -> AllocForm:
    """What was posted, beside what was said beforehand."""
    method = data.get("method", "")[:20]
    said = {}
    if beforehand is not None and beforehand.method == method:
        said = {line["account"]: Decimal(line.get(_key(method), "0")) for line in beforehand.lines}
    columns = [data.getlist(name)[:MOST_TYPED] for name in ("account", "amount", "minimum")]
    house = set(data.getlist("house"))
    lines = []
    for account, amount, minimum in zip(*columns, strict=False):
        code = account.strip().upper()[:24]
        line = TypedLine(code, amount.strip()[:40], minimum.strip()[:40], bool(code) and code in house)
        lines.append(_beside(line, said.get(code)) if said and code else line)
    parameters: dict[str, Any] = {
        name: data[name] for name, usual in DEFAULTS.items() if data.get(name, "") not in ("", usual)
    }
    if data.get("house_needed") == "yes":
        parameters["house_needed"] = True
    lot, places = str(data.get("lot", "")).strip()[:40], str(data.get("price_places", "")).strip()[:3]
    if lot:
        parameters["lot"] = as_kept(lot)
    if places.isdecimal():
        parameters["price_places"] = int(places)
    whole = data.get("whole") == "yes"
    return AllocForm(
        method, data.get("scheme", "")[:24], lines, parameters, data.get("reason", "").strip()[:500], whole
    )


def _beside(line: TypedLine, said: Decimal | None) -> TypedLine:
    """The line with a mark where it is not what was said beforehand."""
    was = said or Decimal(0)
    edited = parse_decimal(line.amount or "0") != was
    return TypedLine(line.account, line.amount, line.minimum, line.house, edited, plain(was) if edited else "")
