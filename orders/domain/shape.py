"""Which terms are well formed, whatever the account, listing or market: present, finite, positive, consistent in themselves."""

from __future__ import annotations

from decimal import Decimal

from kernel.errors import Invalid
from kernel.fix import OrdType, TimeInForce
from kernel.numbers import QTY_PLACES, ZERO
from orders.domain.terms import DISCRETIONS, OrderTerms, ReplaceTerms

MAX_QTY = Decimal(10) ** 12
MAX_PRICE = Decimal(10) ** 9
_LIMITED = (OrdType.LIMIT, OrdType.STOP_LIMIT)
_STOPPED = (OrdType.STOP, OrdType.STOP_LIMIT)

Faults = dict[str, list[str]]


def order_faults(terms: OrderTerms) -> Faults:
    """Sentences by field name; empty when the terms are well formed."""
    faults: Faults = {}
    _number(faults, "order_qty", terms.order_qty, MAX_QTY)
    _number(faults, "min_qty", terms.min_qty, MAX_QTY)
    _number(faults, "max_floor", terms.max_floor, MAX_QTY)
    _number(faults, "price", terms.price, MAX_PRICE)
    _number(faults, "stop_px", terms.stop_px, MAX_PRICE)
    if terms.ord_type in _LIMITED and terms.price is None:
        _say(faults, "price", "A limit order needs a price.")
    if terms.ord_type not in _LIMITED and terms.price is not None:
        _say(faults, "price", "An order without a limit takes no price.")
    if terms.ord_type in _STOPPED and terms.stop_px is None:
        _say(faults, "stop_px", "A stop order needs a stop price.")
    if terms.ord_type not in _STOPPED and terms.stop_px is not None:
        _say(faults, "stop_px", "Only stop orders take a stop price.")
    dated = terms.expire_at is not None or terms.expire_date is not None
    if terms.time_in_force is TimeInForce.GTD and not dated:
        _say(faults, "expire_date", "A good-till-date order needs the date it ends.")
    if terms.time_in_force is not TimeInForce.GTD and dated:
        _say(faults, "expire_date", "Only a good-till-date order takes the date it ends.")
    if terms.expire_at is not None and terms.expire_at.tzinfo is None:
        _say(faults, "expire_at", "The time needs its zone.")
    if terms.instructed_at is not None and terms.instructed_at.tzinfo is None:
        _say(faults, "instructed_at", "The time needs its zone.")
    for name, text, longest in (
        ("client_order_id", terms.client_order_id, 64),
        ("locate_ref", terms.locate_ref, 64),
        ("strategy", terms.strategy, 40),
        ("instructed_by", terms.instructed_by, 80),
    ):
        if len(text) > longest or not text.isprintable():
            _say(faults, name, f"At most {longest} printable characters.")
    if not terms.account.strip():
        _say(faults, "account", "Which account is the order for?")
    if not terms.symbol.strip():
        _say(faults, "symbol", "Which listing is the order for?")
    if terms.discretion not in DISCRETIONS:
        _say(faults, "discretion", f"One of {', '.join(name or 'nothing' for name in DISCRETIONS)}.")
    if len(terms.capacity) != 1:
        _say(faults, "capacity", "One character of OrderCapacity (528).")
    return faults


def replace_faults(terms: ReplaceTerms) -> Faults:
    """The same for what a replace asks for; at least one term must be given."""
    faults: Faults = {}
    _number(faults, "order_qty", terms.order_qty, MAX_QTY)
    _number(faults, "min_qty", terms.min_qty, MAX_QTY)
    _number(faults, "max_floor", terms.max_floor, MAX_QTY)
    _number(faults, "price", terms.price, MAX_PRICE)
    _number(faults, "stop_px", terms.stop_px, MAX_PRICE)
    if terms == ReplaceTerms():
        _say(faults, "order_qty", "Say what should change.")
    if terms.expire_at is not None and terms.expire_at.tzinfo is None:
        _say(faults, "expire_at", "The time needs its zone.")
    return faults


def require_shape(faults: Faults) -> None:
    """Raise Invalid (TERMS_INVALID) with the sentences by field when there are any."""
    if faults:
        first = next(iter(faults.values()))[0]
        raise Invalid("TERMS_INVALID", first, fields=faults)


def _say(faults: Faults, name: str, sentence: str) -> None:
    faults.setdefault(name, []).append(sentence)


def _number(faults: Faults, name: str, value: Decimal | None, most: Decimal) -> None:
    if value is None:
        return
    if not value.is_finite():
        _say(faults, name, "This is not a number.")
    elif value <= ZERO:
        _say(faults, name, "Must be above zero.")
    elif value > most:
        _say(faults, name, f"Must not be above {most:,f}.")
    elif value != value.quantize(QTY_PLACES):
        _say(faults, name, "At most eight decimal places.")
