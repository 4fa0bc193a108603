"""What a replace asks for, whole: the working terms with the given ones laid over them. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from kernel.canonical import jsonable
from kernel.fix import OrdType, Side, TimeInForce
from orders.domain.shape import Faults, order_faults
from orders.domain.terms import OrderTerms, ReplaceTerms

_WORKED = ("order_qty", "price", "stop_px", "time_in_force")
"""Terms the venue tells us of; the others hold as they were last accepted."""
_TERMS = ("order_qty", "price", "stop_px", "time_in_force", "expire_at", "expire_date", "min_qty", "max_floor")


def current_message(accepted: Mapping[str, Any], working: Mapping[str, Any]) -> dict[str, Any]:
    """The message of the request the order works under, with the order's working terms of now."""
    return {**accepted, **{name: jsonable(working[name]) for name in _WORKED}}


def amended_message(current: Mapping[str, Any], terms: ReplaceTerms) -> dict[str, Any]:
    """The whole message a replace sends. A time in force other than good-till-date drops the end date."""
    message = dict(current)
    for name in _TERMS:
        value = getattr(terms, name)
        if value is not None:
            message[name] = jsonable(value)
    if message["time_in_force"] != TimeInForce.GTD.value:
        message["expire_at"] = message["expire_date"] = None
    return message


def accepted_terms(message: Mapping[str, Any]) -> dict[str, Any]:
    """The terms of an accepted replace that no report repeats, as an order's row keeps them."""
    return {
        "min_qty": _number(message["min_qty"]),
        "max_floor": _number(message["max_floor"]),
        "expire_at": datetime.fromisoformat(message["expire_at"]) if message["expire_at"] else None,
        "expire_date": date.fromisoformat(message["expire_date"]) if message["expire_date"] else None,
    }


def changed_terms(basis: Mapping[str, Any], message: Mapping[str, Any]) -> frozenset[str]:
    """The names of the terms in which the wanted message differs from what it builds on."""
    return frozenset(name for name in _TERMS if message.get(name) != basis.get(name))


def message_faults(message: Mapping[str, Any]) -> Faults:
    """Faults of the whole terms by field: a replace must leave an order that could have been entered."""
    return order_faults(terms_of_message(message))


def terms_of_message(message: Mapping[str, Any]) -> OrderTerms:
    """The terms of a new order that a message stands for."""
    return OrderTerms(
        account=message["account"],
        symbol=message["symbol"],
        side=Side(message["side"]),
        ord_type=OrdType(message["ord_type"]),
        order_qty=Decimal(message["order_qty"]),
        time_in_force=TimeInForce(message["time_in_force"]),
        price=_number(message["price"]),
        stop_px=_number(message["stop_px"]),
        min_qty=_number(message["min_qty"]),
        max_floor=_number(message["max_floor"]),
        expire_at=datetime.fromisoformat(message["expire_at"]) if message["expire_at"] else None,
        expire_date=date.fromisoformat(message["expire_date"]) if message["expire_date"] else None,
        locate_ref=message.get("locate_ref") or "",
        capacity=message.get("capacity") or "A",
    )


def _number(text: str | None) -> Decimal | None:
    return Decimal(text) if text is not None else None
