"""The rulebook out of its stored rows, read whole: a row that cannot be read makes the whole book unusable.

A book with one rule missing would let through what that rule stops, so nothing is skipped.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from risk.domain.answers import Verdict
from risk.domain.rulebook.book import Rulebook
from risk.domain.rulebook.conditions import Condition, FactValue, Operator
from risk.domain.rulebook.entries import CollarEntry, Dated, MandateEntry, Policy, RestrictionEntry, RuleEntry

Row = Mapping[str, Any]


def read_rulebook(stored: Mapping[str, Any]) -> Rulebook:
    """``stored`` has version, policy (or None), rules, restrictions, mandates, collars: rows as plain JSON.

    Raises ValueError, KeyError or TypeError for a row that cannot be read.
    """
    policy = stored["policy"]
    return Rulebook(
        version=stored["version"],
        policy=read_policy(policy) if policy else None,
        rules=[read_rule(row) for row in stored["rules"]],
        restrictions=[read_restriction(row) for row in stored["restrictions"]],
        mandates=[_mandate(row) for row in stored["mandates"]],
        collars=[
            CollarEntry(row["asset_class"], row["phase"], number(row["warn"]), Decimal(str(row["hard"])))
            for row in stored["collars"]
        ],
    )


def read_rule(row: Row) -> RuleEntry:
    """One rule; its conditions as stored: fact, operator, values."""
    return RuleEntry(
        code=row["code"],
        pair=(row["scope"], row["scope_id"]),
        conditions=tuple(read_condition(item) for item in row["conditions"]),
        verdict=verdict(row["verdict"]),
        sentence=row["sentence"],
        dated=dated(row),
        version=row["version"],
        owner=row.get("owner", ""),
    )


def read_condition(item: Row) -> Condition:
    """``{"fact": …, "op": …, "values": […]}``; numbers are text."""
    operator = Operator(item["op"])
    values: Sequence[str] = item["values"]
    read: frozenset[FactValue] = (
        frozenset(Decimal(one) for one in values) if operator.takes_number else frozenset(values)
    )
    if not read or (operator.takes_number and len(read) != 1):
        raise ValueError(f"{item['fact']} {operator.value} needs values")
    return Condition(item["fact"], operator, read)


def read_restriction(row: Row) -> RestrictionEntry:
    """One entry of the restricted or watch list."""
    return RestrictionEntry(
        id=row["id"],
        reference=row["reference"],
        watch=row["list"] == "watch",
        subject=row["subject"],
        subject_id=row["subject_id"],
        pair=(row["scope"], row["scope_id"]),
        sides=row["sides"],
        dated=dated(row),
    )


def read_policy(row: Row) -> Policy:
    """The one row of marks of conduct."""
    return Policy(
        duplicate_window_s=row["duplicate_window_s"],
        self_trade={name: verdict(row[f"self_trade_{name}"]) for name in ("account", "client", "firm")},
        volume_warn=number(row["volume_warn"]),
        volume_hard=number(row["volume_hard"]),
        volume_unknown=verdict(row["volume_unknown"]),
        spread_warn=number(row["spread_warn"]),
        depth_warn=number(row["depth_warn"]),
        book_unknown=verdict(row["book_unknown"]),
        basket_orders=row["basket_orders"],
        basket_notional={currency: Decimal(str(mark)) for currency, mark in row["basket_notional"].items()},
        basket_ratio=number(row["basket_ratio"]),
    )


def _mandate(row: Row) -> MandateEntry:
    return MandateEntry(
        pair=(row["scope"], row["scope_id"]),
        markets=_texts(row["markets"]),
        asset_classes=_texts(row["asset_classes"]),
        currencies=_texts(row["currencies"]),
        short_allowed=row["short_allowed"],
    )


def _texts(values: Sequence[str] | None) -> frozenset[str] | None:
    return frozenset(values) if values is not None else None


def dated(row: Row) -> Dated:
    """From and until, both with their zone."""
    until = row["effective_until"]
    return Dated(_moment(row["effective_from"]), _moment(until) if until else None)


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"{text} has no zone")
    return moment


def verdict(word: str) -> Verdict:
    """The answer of that name."""
    return Verdict[word.upper()]


def number(value: Any) -> Decimal | None:
    """A stored mark, None where it is not set."""
    return Decimal(str(value)) if value is not None else None
