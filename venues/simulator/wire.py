"""From a member's raw FIX message to a command. Pure: text in, values out; what is unusable becomes a value too."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime

from kernel.fix import OrdType, Side, TimeInForce
from venues.simulator.commands import (
    CancelOrder,
    Command,
    MassStatusRequest,
    NewOrder,
    ReplaceOrder,
    StatusRequest,
    Unusable,
)
from venues.simulator.fields import ECHOED, NAMES
from venues.simulator.units import parse_units

SOH = "\x01"
UNSUPPORTED_TYPE = "3"
NOT_AVAILABLE = "4"
FIELD_MISSING = "5"
OTHER = "0"


class Flaw(ValueError):
    """A field is missing or cannot be read; the message says which."""

    def __init__(self, reason: str, text: str) -> None:
        super().__init__(text)
        self.reason = reason
        self.text = text


def read_fields(raw: str) -> dict[str, str]:
    """Fields of a raw message by house name; the first of a repeated tag counts, unknown tags are left out."""
    found: dict[str, str] = {}
    for pair in raw.split(SOH):
        tag, _, value = pair.partition("=")
        name = NAMES.get(tag)
        if name is not None and name not in found:
            found[name] = value
    return found


def read_command(session: str, raw: str) -> Command:
    """The command a message asks for; an ``Unusable`` when it is none we know or a field is missing or wrong."""
    fields = read_fields(raw)
    kind = fields.get("msg_type", "")
    readers: dict[str, Callable[[str, Mapping[str, str]], Command]] = {
        "D": _new_order,
        "G": _replace,
        "F": _cancel,
        "H": _status,
        "AF": _mass_status,
    }
    reader = readers.get(kind)
    try:
        if reader is None:
            raise Flaw(UNSUPPORTED_TYPE, f"MsgType {kind} is not supported")
        return reader(session, fields)
    except Flaw as flaw:
        return unusable(session, fields, flaw.reason, flaw.text)


def unusable(session: str, fields: Mapping[str, str], reason: str, text: str) -> Unusable:
    """The answer to a message that cannot be carried out."""
    return Unusable(
        session=session,
        ref_seq_num=fields.get("msg_seq_num", "0"),
        ref_msg_type=fields.get("msg_type", ""),
        ref_id=fields.get("cl_ord_id", "") or fields.get("mass_status_req_id", ""),
        reason=reason,
        text=text,
    )


def _new_order(session: str, fields: Mapping[str, str]) -> NewOrder:
    return NewOrder(
        session=session,
        cl_ord_id=_needed(fields, "cl_ord_id"),
        symbol=_needed(fields, "symbol"),
        mic=fields.get("security_exchange", ""),
        isin=fields.get("security_id", ""),
        side=_side(_needed(fields, "side")),
        ord_type=_ord_type(_needed(fields, "ord_type")),
        time_in_force=_time_in_force(fields.get("time_in_force", "0")),
        order_qty=_number(fields, "order_qty", _needed(fields, "order_qty")),
        price=_optional_number(fields, "price"),
        stop_px=_optional_number(fields, "stop_px"),
        min_qty=_optional_number(fields, "min_qty") or 0,
        max_floor=_optional_number(fields, "max_floor") or 0,
        expire_date=_optional_date(fields),
        expire_at=_optional_time(fields),
        poss_resend=fields.get("poss_resend") == "Y",
        echo={name: fields[name] for name in ECHOED if name in fields},
    )


def _replace(session: str, fields: Mapping[str, str]) -> ReplaceOrder:
    force, side, kind = fields.get("time_in_force"), fields.get("side"), fields.get("ord_type")
    return ReplaceOrder(
        session=session,
        cl_ord_id=_needed(fields, "cl_ord_id"),
        orig_cl_ord_id=_needed(fields, "orig_cl_ord_id"),
        order_id=fields.get("order_id", ""),
        side=_side(side) if side else None,
        ord_type=_ord_type(kind) if kind else None,
        time_in_force=_time_in_force(force) if force else None,
        order_qty=_optional_number(fields, "order_qty"),
        price=_optional_number(fields, "price"),
        stop_px=_optional_number(fields, "stop_px"),
        max_floor=_optional_number(fields, "max_floor"),
        expire_date=_optional_date(fields),
        expire_at=_optional_time(fields),
    )


def _cancel(session: str, fields: Mapping[str, str]) -> CancelOrder:
    return CancelOrder(
        session=session,
        cl_ord_id=_needed(fields, "cl_ord_id"),
        orig_cl_ord_id=fields.get("orig_cl_ord_id", ""),
        order_id=fields.get("order_id", ""),
    )


def _status(session: str, fields: Mapping[str, str]) -> StatusRequest:
    return StatusRequest(
        session=session,
        cl_ord_id=_needed(fields, "cl_ord_id"),
        order_id=fields.get("order_id", ""),
        req_id=fields.get("ord_status_req_id", ""),
        echo={name: fields[name] for name in ECHOED if name in fields},
    )


def _mass_status(session: str, fields: Mapping[str, str]) -> MassStatusRequest:
    kind = fields.get("mass_status_req_type", "7")
    if kind not in ("1", "7"):
        raise Flaw(OTHER, f"MassStatusReqType {kind} is not supported")
    return MassStatusRequest(
        session=session,
        req_id=_needed(fields, "mass_status_req_id"),
        symbol=_needed(fields, "symbol") if kind == "1" else "",
    )


def _needed(fields: Mapping[str, str], name: str) -> str:
    value = fields.get(name)
    if not value:
        raise Flaw(FIELD_MISSING, f"{name} is missing")
    return value


def _number(fields: Mapping[str, str], name: str, text: str) -> int:
    try:
        return parse_units(text)
    except ValueError as error:
        raise Flaw(OTHER, f"{name}: {error}") from None


def _optional_number(fields: Mapping[str, str], name: str) -> int | None:
    text = fields.get(name)
    return None if text is None else _number(fields, name, text)


def _side(text: str) -> Side:
    try:
        return Side(text)
    except ValueError:
        raise Flaw(OTHER, f"Side {text} is not supported") from None


def _ord_type(text: str) -> OrdType:
    try:
        return OrdType(text)
    except ValueError:
        raise Flaw(OTHER, f"OrdType {text} is not supported") from None


def _time_in_force(text: str) -> TimeInForce:
    try:
        return TimeInForce(text)
    except ValueError:
        raise Flaw(OTHER, f"TimeInForce {text} is not supported") from None


def _optional_date(fields: Mapping[str, str]) -> date | None:
    text = fields.get("expire_date")
    if text is None:
        return None
    try:
        return datetime.strptime(text, "%Y%m%d").replace(tzinfo=UTC).date()
    except ValueError:
        raise Flaw(OTHER, f"expire_date {text} is not YYYYMMDD") from None


def _optional_time(fields: Mapping[str, str]) -> datetime | None:
    text = fields.get("expire_time")
    if text is None:
        return None
    for shape in ("%Y%m%d-%H:%M:%S.%f", "%Y%m%d-%H:%M:%S"):
        try:
            return datetime.strptime(text, shape).replace(tzinfo=UTC)
        except ValueError:
            continue
    raise Flaw(OTHER, f"expire_time {text} is not a UTC timestamp")
