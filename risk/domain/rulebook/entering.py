"""A rule as a person enters it, turned into a stored row, or one sentence a field that is wrong.

The vocabulary is closed and every value is looked at, so that what is stored can always be read again.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from kernel.errors import Invalid
from kernel.numbers import parse_decimal, plain
from risk.domain.answers import Verdict
from risk.domain.rulebook.conditions import Operator
from risk.domain.vocabulary import VOCABULARY, FactKind, NamedFact

MAX_CONDITIONS = 12
MAX_VALUES = 200
CODE = re.compile(r"[A-Z][A-Z0-9_]{2,39}")
SCOPES = ("firm", "desk", "dealer", "client", "account", "strategy", "instrument", "venue")


@dataclass(frozen=True, slots=True)
class TypedCondition:
    """A condition as typed: ``values`` is one text, several values parted by commas."""

    fact: str
    op: str
    values: str


class Faults:
    """One sentence a fault, by field."""

    def __init__(self) -> None:
        self.fields: dict[str, list[str]] = {}

    def add(self, name: str, sentence: str) -> None:
        self.fields.setdefault(name, []).append(sentence)

    def finish(self, code: str) -> None:
        """Raise Invalid with every fault, the first of them as its sentence."""
        if self.fields:
            raise Invalid(code, next(iter(self.fields.values()))[0], self.fields)


def entered_conditions(typed: Sequence[TypedCondition], faults: Faults) -> list[dict[str, Any]]:
    """The stored form of the conditions; faults are named ``condition_<number>``, counted from 1."""
    if len(typed) > MAX_CONDITIONS:
        faults.add("conditions", f"A rule has at most {MAX_CONDITIONS} conditions; make two rules of it.")
        return []
    stored = []
    for number, item in enumerate(typed, 1):
        fault, condition = _condition(item)
        if condition is None:
            faults.add(f"condition_{number}", fault)
        else:
            stored.append(condition)
    return stored


def _condition(item: TypedCondition) -> tuple[str, dict[str, Any] | None]:
    fact = VOCABULARY.get(item.fact)
    if fact is None:
        return f"{item.fact[:40]!r} is no fact a rule can name.", None
    try:
        operator = Operator(item.op)
    except ValueError:
        return f"{fact.title} cannot be compared by {item.op[:12]!r}: choose in, not in, above or below.", None
    if operator.takes_number != (fact.kind is FactKind.NUMBER):
        wanted = "above or below" if fact.kind is FactKind.NUMBER else "in or not in"
        return f"{fact.title} is compared by {wanted}.", None
    if operator.takes_number:
        mark = parse_decimal(item.values)
        if mark is None:
            return f"{fact.title} {operator.value} needs one number; {item.values[:24]!r} is none.", None
        return "", {"fact": fact.name, "op": operator.value, "values": [plain(mark)]}
    return _texts(fact, operator, item.values)


def _texts(fact: NamedFact, operator: Operator, typed: str) -> tuple[str, dict[str, Any] | None]:
    values = sorted({part.strip() for part in typed.split(",") if part.strip()})
    if fact.kind is FactKind.CHOICE:
        values = [value.lower().replace(" ", "_") for value in values]
        strange = [value for value in values if value not in fact.choices]
        if strange:
            return f"{fact.title} is one of {', '.join(fact.choices)}; {strange[0][:24]!r} is none of them.", None
    elif fact.name in ("market", "currency", "symbol", "isin", "account"):
        values = [value.upper() for value in values]
    else:
        values = [value.lower() if fact.name == "asset_class" else value for value in values]
    if not values or len(values) > MAX_VALUES or any(len(value) > 64 for value in values):
        return f"{fact.title} needs 1 to {MAX_VALUES} values, parted by commas.", None
    return "", {"fact": fact.name, "op": operator.value, "values": values}


def entered_rule(given: Mapping[str, Any], typed: Sequence[TypedCondition]) -> dict[str, Any]:
    """The stored form of a rule. ``given`` holds code, title, scope, scope_id, verdict, sentence, source, reason, owner,
    effective_from and effective_until (datetimes or None).

    Raises Invalid RULE_INVALID with one sentence a field.
    """
    faults = Faults()
    text = {name: str(given.get(name) or "").strip() for name in ("code", "title", "scope", "scope_id", "verdict",
                                                                   "sentence", "source", "reason", "owner")}  # fmt: skip
    if not CODE.fullmatch(text["code"]):
        faults.add("code", "The code is 3 to 40 capitals, digits and underscores, such as NO_PENNY_SHORTS.")
    for name, most in (("title", 80), ("source", 200), ("reason", 500), ("owner", 80)):
        if not text[name] or len(text[name]) > most:
            faults.add(name, f"Give the {name}, at most {most} characters.")
    if text["scope"] not in SCOPES:
        faults.add("scope", "Choose what the rule is for.")
    elif (text["scope"] == "firm") != (text["scope_id"] == ""):
        faults.add("scope_id", "The firm needs no name; every other scope needs one.")
    if text["verdict"].upper() not in Verdict.__members__:
        faults.add("verdict", "The answer is pass, acknowledge, authorise or refuse.")
    elif text["verdict"] != Verdict.PASS.word and not 10 <= len(text["sentence"]) <= 300:
        faults.add("sentence", "Say to the dealer in 10 to 300 characters what is wrong.")
    conditions = entered_conditions(typed, faults)
    if not typed and text["scope"] == "firm":
        faults.add("conditions", "A rule of the firm without a condition would meet every order: name one.")
    dates = entered_dates(given, faults)
    faults.finish("RULE_INVALID")
    return {**text, "verdict": text["verdict"].lower(), "conditions": conditions, **dates}


def entered_dates(given: Mapping[str, Any], faults: Faults) -> dict[str, Any]:
    """From and until as ISO text; until lies after from, both have a zone."""
    start, end = given.get("effective_from"), given.get("effective_until")
    if not isinstance(start, datetime) or start.tzinfo is None:
        faults.add("effective_from", "Give the time from which it holds.")
        return {}
    if end is not None and (not isinstance(end, datetime) or end.tzinfo is None):
        faults.add("effective_until", "Give the time until which it holds, or leave it empty.")
        return {}
    if end is not None and end <= start:
        faults.add("effective_until", "It would end before it begins.")
    return {"effective_from": start.isoformat(), "effective_until": end.isoformat() if end is not None else None}
