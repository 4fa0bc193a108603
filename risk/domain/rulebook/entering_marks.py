"""Mandates, collars, marks of conduct and restrictions as a person enters them: the stored row, or one sentence a field."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from kernel.numbers import parse_decimal, plain
from refdata.domain.sessions import Phase
from risk.domain.answers import Verdict
from risk.domain.rulebook.entering import Faults, entered_dates

Given = Mapping[str, Any]
MANDATE_SCOPES = ("firm", "client", "account")
ANSWERS = tuple(member.word for member in Verdict)
MOST_PERCENT = Decimal(10_000)


def entered_mandate(given: Given) -> dict[str, Any]:
    """``scope`` ``scope_id`` ``markets`` ``asset_classes`` ``currencies`` (texts parted by commas; empty allows all)
    ``short_allowed`` ``owner``. Raises Invalid MANDATE_INVALID."""
    faults = Faults()
    scope, scope_id = _text(given, "scope"), _text(given, "scope_id")
    if scope not in MANDATE_SCOPES:
        faults.add("scope", "A mandate is the firm's, a client's or an account's.")
    elif (scope == "firm") != (scope_id == ""):
        faults.add("scope_id", "The firm needs no name; a client or an account needs one.")
    lists = {
        "markets": _list(given, "markets", faults, width=4, upper=True),
        "asset_classes": _list(given, "asset_classes", faults, width=12, upper=False),
        "currencies": _list(given, "currencies", faults, width=3, upper=True),
    }
    owner = _owner(given, faults)
    faults.finish("MANDATE_INVALID")
    return {
        "scope": scope,
        "scope_id": scope_id,
        **lists,
        "short_allowed": bool(given.get("short_allowed")),
        "owner": owner,
    }


def entered_collar(given: Given) -> dict[str, Any]:
    """``asset_class`` ``phase`` (empty is any) ``warn`` ``hard`` in per cent ``owner``. Raises Invalid COLLAR_INVALID."""
    faults = Faults()
    phase, asset_class = _text(given, "phase"), _text(given, "asset_class").lower()
    if phase and phase not in [member.value for member in Phase]:
        faults.add("phase", "That is no phase of a session.")
    if len(asset_class) > 12:
        faults.add("asset_class", "An asset class has at most 12 letters.")
    warn, hard = _percent(given, "warn", faults), _percent(given, "hard", faults)
    if hard is None:
        faults.add("hard", "Give the distance beyond which no order is sent, in per cent.")
    elif warn is not None and warn > hard:
        faults.add("warn", "The first mark lies above the second.")
    owner = _owner(given, faults)
    faults.finish("COLLAR_INVALID")
    return {
        "asset_class": asset_class,
        "phase": phase,
        "warn": plain(warn / 100) if warn is not None else None,
        "hard": plain(hard / 100) if hard is not None else None,
        "owner": owner,
    }


def entered_policy(given: Given) -> dict[str, Any]:
    """Every mark of conduct by the name of its column; ``basket_notional`` as ``GBP 50m, EUR 40m``.

    Raises Invalid POLICY_INVALID.
    """
    faults = Faults()
    stored: dict[str, Any] = {
        "duplicate_window_s": _whole(given, "duplicate_window_s", faults, most=86_400),
        "basket_orders": _whole(given, "basket_orders", faults, most=100_000),
        "basket_notional": _notionals(given, faults),
    }
    answers = ("self_trade_account", "self_trade_client", "self_trade_firm", "volume_unknown", "book_unknown")
    for name in answers:
        stored[name] = _text(given, name)
        if stored[name] not in ANSWERS:
            faults.add(name, f"The answer is one of {', '.join(ANSWERS)}.")
    for name in ("volume_warn", "volume_hard", "spread_warn", "depth_warn", "basket_ratio"):
        mark = _percent(given, name, faults)
        stored[name] = plain(mark) if mark is not None else None
    if (
        stored["volume_warn"]
        and stored["volume_hard"]
        and Decimal(stored["volume_warn"]) > Decimal(stored["volume_hard"])
    ):
        faults.add("volume_warn", "The first mark lies above the second.")
    stored["owner"] = _owner(given, faults)
    faults.finish("POLICY_INVALID")
    return stored


def entered_restriction(given: Given) -> dict[str, Any]:
    """``list`` ``subject_id`` ``scope`` ``scope_id`` ``sides`` ``sweep`` ``source`` ``reason`` ``owner`` and dates.

    Raises Invalid RESTRICTION_INVALID.
    """
    faults = Faults()
    text = {
        name: _text(given, name)
        for name in ("list", "subject", "subject_id", "scope", "scope_id", "sides", "sweep", "source", "reason")
    }
    for name, allowed in (
        ("list", ("restricted", "watch")),
        ("subject", ("instrument",)),
        ("sides", ("both", "buy", "sell")),
        ("sweep", ("list", "cancel", "keep")),
    ):
        if text[name] not in allowed:
            faults.add(name, f"Choose {' or '.join(allowed)}.")
    if not text["subject_id"]:
        faults.add("subject_id", "Say what is restricted.")
    if text["scope"] not in ("firm", "desk", "dealer", "client", "account", "strategy"):
        faults.add("scope", "Choose whom it is for.")
    elif (text["scope"] == "firm") != (text["scope_id"] == ""):
        faults.add("scope_id", "The firm needs no name; every other scope needs one.")
    for name, most in (("source", 200), ("reason", 500)):
        if not text[name] or len(text[name]) > most:
            faults.add(name, f"Give the {name}, at most {most} characters; compliance alone sees it.")
    owner = _owner(given, faults)
    dates = entered_dates(given, faults)
    faults.finish("RESTRICTION_INVALID")
    return {**text, "owner": owner, **dates}


def _text(given: Given, name: str) -> str:
    return str(given.get(name) or "").strip()


def _owner(given: Given, faults: Faults) -> str:
    owner = _text(given, "owner")
    if not owner or len(owner) > 80:
        faults.add("owner", "Name who answers for it.")
    return owner


def _list(given: Given, name: str, faults: Faults, *, width: int, upper: bool) -> list[str] | None:
    typed = _text(given, name)
    values = sorted({part.strip() for part in typed.split(",") if part.strip()})
    values = [value.upper() if upper else value.lower() for value in values]
    if any(len(value) > width for value in values) or len(values) > 200:
        faults.add(name, f"At most 200 values of {width} letters, parted by commas.")
    return values or None


def _percent(given: Given, name: str, faults: Faults) -> Decimal | None:
    typed = _text(given, name)
    if not typed:
        return None
    mark = parse_decimal(typed)
    if mark is None or mark <= 0 or mark > MOST_PERCENT:
        faults.add(name, f"{typed[:24]!r} is no number above 0 and at most 10,000.")
        return None
    return mark


def _whole(given: Given, name: str, faults: Faults, *, most: int) -> int:
    typed = _text(given, name)
    if not typed.isdecimal() or int(typed) > most:
        faults.add(name, f"Give a whole number from 0 to {most:,}.")
        return 0
    return int(typed)


def _notionals(given: Given, faults: Faults) -> dict[str, str]:
    found: dict[str, str] = {}
    for part in _text(given, "basket_notional").replace(";", ",").split(","):
        words = part.split()
        mark = parse_decimal(words[1]) if len(words) == 2 else None
        if mark is None or mark <= 0 or len(words[0]) != 3:
            faults.add("basket_notional", "Give a currency and an amount each, such as GBP 50m, EUR 40m.")
            return {}
        found[words[0].upper()] = plain(mark)
    return found
