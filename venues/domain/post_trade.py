"""From a post-trade message of the house to the fields of FIX 4.4 (4.2 for J and P), each group in the order of the specification.

Pure. ``read`` of ``venues.domain.post_trade_reading`` is the inverse, as far as FIX has a field for it: an ack has no name of its own
there, an account's gross amount travels in a confirmation only, the capacity likewise. ``block_ref`` is SecondaryAllocID (793).
Prices, quantities and money are what the caller says; nothing is computed but totals of the lines.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import TypeVar

from kernel.numbers import plain
from kernel.post_trade import AccountLine, AckStatus, MessageKind, PostTradeMessage, TransType
from venues.domain.fix_codec import SOH, Fields, utc_timestamp, without
from venues.domain.fix_groups import NO_ALLOCS, NO_CAPACITIES, NO_EXECS, NO_MISC_FEES, NO_ORDERS
from venues.domain.post_trade_codes import (
    AFFIRM_CODES,
    ALLOC_STATUS_CODES,
    MSG_TYPES,
    OTHER_REASON,
    REASON_TAGS,
    TRANS_CODES,
)

_Some = list[tuple[int, str]]
_Value = TypeVar("_Value", Decimal, date)
_NOT_IN_42 = (626, 793, 796, 857, 467, 799, 800, 892)
_ORDER_DETAILS_CHANGED = "2"
_ABSOLUTE = "3"
_OTHER_FEE = "7"
_CONFIRMED = "4"


def write(message: PostTradeMessage, *, begin_string: str) -> Fields:
    """MsgType (35) first, then the body. Raises ValueError for what the version has no message or no value for."""
    kind = message.kind
    if begin_string == "FIX.4.2" and kind not in (MessageKind.ALLOCATION_INSTRUCTION, MessageKind.ALLOCATION_ACK):
        raise ValueError(f"{begin_string} has no {kind.value}")
    match kind:
        case MessageKind.ALLOCATION_INSTRUCTION:
            fields = _instruction(message)
        case MessageKind.ALLOCATION_REPORT:
            fields = _report(message)
        case MessageKind.CONFIRMATION:
            fields = _confirmation(message)
        case _:
            fields = _ack(message)
    fields = [(35, MSG_TYPES[kind]), *fields]
    for tag, value in fields:
        if SOH in value:
            raise ValueError(f"tag {tag} holds a field separator")
    return without(fields, _NOT_IN_42) if begin_string == "FIX.4.2" else tuple(fields)


def wire_name(message: PostTradeMessage) -> str:
    """What makes a message the same message to the other side: its own name, or what it says to the one it answers."""
    if message.ref and message.kind not in REASON_TAGS:
        return message.ref
    return f"{message.ref_of}:{message.ack_status.value if message.ack_status else ''}"


def _instruction(message: PostTradeMessage) -> _Some:
    calculated = any(line.net is not None for line in message.accounts)
    fields = [
        (70, _needed(message.ref, "ref")),
        (71, TRANS_CODES[message.trans_type]),
        (626, "1" if calculated else "2"),
    ]
    fields += _if_said((793, message.block_ref))
    if message.trans_type is not TransType.NEW:
        fields += [(72, _needed(message.ref_of, "ref_of")), (796, _ORDER_DETAILS_CHANGED)]
    return fields + _block(message)


def _report(message: PostTradeMessage) -> _Some:
    fields = [(755, _needed(message.ref, "ref"))]
    if message.trans_type is TransType.NEW:
        fields += _if_said((70, message.ref_of))
    fields.append((71, TRANS_CODES[message.trans_type]))
    if message.trans_type is not TransType.NEW:
        fields += [(795, _needed(message.ref_of, "ref_of")), (796, _ORDER_DETAILS_CHANGED)]
    fields += _if_said((793, message.block_ref))
    status = "0" if message.ack_status is None else _code(ALLOC_STATUS_CODES, message)
    fields += [(794, "3" if any(line.net is not None for line in message.accounts) else "4"), (87, status)]
    if message.reject_code:
        fields.append((88, message.reject_code if message.reject_code.isdigit() else "7"))
    return fields + _block(message)


def _block(message: PostTradeMessage) -> _Some:
    """What J and AS share: orders, executions, the trade, the accounts."""
    lines = message.accounts
    fields = [(857, "1" if message.orders else "0"), *_orders(message), *_executions(message)]
    fields += [(54, _needed(message.side, "side")), *_instrument(message)]
    fields += [(53, plain(_there(message.qty, "qty"))), *_if_said((15, message.currency))]
    fields += [(6, plain(_there(message.avg_px, "avg_px"))), (75, _day(_there(message.trade_date, "trade_date")))]
    fields += [(60, utc_timestamp(message.transact_at)), *_if_said((64, _day(message.settlement_date)))]
    fields += [*_total(381, [line.gross for line in lines]), *_total(118, [line.net for line in lines])]
    fields += _if_said((58, message.text))
    if message.total_accounts is not None:
        fields.append((892, str(message.total_accounts)))
    if lines:
        fields.append((NO_ALLOCS, str(len(lines))))
    for line in lines:
        fields += [(79, _needed(line.account, "account")), (80, plain(line.qty)), *_if_said((467, line.ref))]
        fields += [
            *_commission(line),
            (153, plain(line.avg_px)),
            *_amount(154, line.net),
            *_fees(line, message.currency),
        ]
    return fields


def _confirmation(message: PostTradeMessage) -> _Some:
    if len(message.accounts) != 1:
        raise ValueError(f"a confirmation is of one account, not of {len(message.accounts)}")
    line = message.accounts[0]
    fields = [(664, _needed(message.ref, "ref"))]
    if message.trans_type is not TransType.NEW:
        fields.append((772, _needed(message.ref_of, "ref_of")))
    fields += [(666, TRANS_CODES[message.trans_type]), (773, "2"), (665, _CONFIRMED), *_orders(message)]
    if message.trans_type is TransType.NEW:
        fields += _if_said((70, message.ref_of))
    fields += _if_said((793, message.block_ref), (467, message.allocation_ref or line.ref))
    fields += [(60, utc_timestamp(message.transact_at)), (75, _day(_there(message.trade_date, "trade_date")))]
    fields += [*_instrument(message), (80, plain(line.qty)), (54, _needed(message.side, "side"))]
    fields += _if_said((15, message.currency))
    if message.capacity:
        fields += [(NO_CAPACITIES, "1"), (528, message.capacity), (863, plain(line.qty))]
    fields += [(79, _needed(line.account, "account")), (6, plain(line.avg_px)), *_if_said((58, message.text))]
    fields += [(381, plain(_there(line.gross, "gross"))), (118, plain(_there(line.net, "net")))]
    fields += [*_if_said((64, _day(message.settlement_date))), *_commission(line), *_fees(line, message.currency)]
    return fields


def _ack(message: PostTradeMessage) -> _Some:
    named = _needed(message.ref_of, "ref_of")
    day = _if_said((75, _day(message.trade_date)))
    if message.kind is MessageKind.CONFIRMATION_ACK:
        day = [(75, _day(_there(message.trade_date, "trade_date")))]
        fields = [(664, named), *day, (60, utc_timestamp(message.transact_at)), (940, _code(AFFIRM_CODES, message))]
    elif message.kind is MessageKind.ALLOCATION_REPORT_ACK:
        fields = [(755, named), (70, message.block_ref or named), *_if_said((793, message.block_ref)), *day]
        fields += [(60, utc_timestamp(message.transact_at)), (87, _code(ALLOC_STATUS_CODES, message))]
    else:
        fields = [(70, named), *_if_said((793, message.block_ref)), *day]
        fields += [(60, utc_timestamp(message.transact_at)), (87, _code(ALLOC_STATUS_CODES, message))]
    return fields + _reason(message)


def _reason(message: PostTradeMessage) -> _Some:
    """A code of FIX as it is; one of ours as "other", named in the text."""
    code, text = message.reject_code, message.text
    if not code:
        return _if_said((58, text))
    if code.isdigit():
        return [(REASON_TAGS[message.kind], code), *_if_said((58, text))]
    return [(REASON_TAGS[message.kind], OTHER_REASON[message.kind]), (58, f"{code}: {text}" if text else code)]


def _orders(message: PostTradeMessage) -> _Some:
    fields: _Some = [(NO_ORDERS, str(len(message.orders)))] if message.orders else []
    for order in message.orders:
        fields += [(11, _needed(order.cl_ord_id, "cl_ord_id")), *_if_said((37, order.venue_order_id))]
        fields += [(799, plain(order.avg_px)), (800, plain(order.qty))]
    return fields


def _executions(message: PostTradeMessage) -> _Some:
    fields: _Some = [(NO_EXECS, str(len(message.fills)))] if message.fills else []
    for fill in message.fills:
        fields += [(32, plain(fill.qty)), (17, _needed(fill.exec_id, "exec_id")), (31, plain(fill.px))]
    return fields


def _instrument(message: PostTradeMessage) -> _Some:
    fields = [(55, message.symbol or _needed(message.isin, "symbol"))]
    if message.isin:
        fields += [(48, message.isin), (22, "4")]
    return fields + _if_said((207, message.mic))


def _commission(line: AccountLine) -> _Some:
    return [] if line.commission is None else [(12, plain(line.commission)), (13, _ABSOLUTE)]


def _fees(line: AccountLine, currency: str) -> _Some:
    if line.fees is None:
        return []
    return [(NO_MISC_FEES, "1"), (137, plain(line.fees)), *_if_said((138, currency)), (139, _OTHER_FEE)]


def _total(tag: int, amounts: Sequence[Decimal | None]) -> _Some:
    """The sum, when every line has the amount."""
    known = [amount for amount in amounts if amount is not None]
    return [(tag, plain(sum(known, Decimal(0))))] if known and len(known) == len(amounts) else []


def _amount(tag: int, amount: Decimal | None) -> _Some:
    return [] if amount is None else [(tag, plain(amount))]


def _if_said(*fields: tuple[int, str]) -> _Some:
    return [field for field in fields if field[1]]


def _day(value: date | None) -> str:
    return "" if value is None else f"{value:%Y%m%d}"


def _code(codes: Mapping[AckStatus, str], message: PostTradeMessage) -> str:
    status = message.ack_status
    if status is None or status not in codes:
        raise ValueError(f"{message.kind.value} cannot say {status}")
    return codes[status]


def _needed(value: str, name: str) -> str:
    if not value:
        raise ValueError(f"{name} is missing")
    return value


def _there(value: _Value | None, name: str) -> _Value:
    if value is None:
        raise ValueError(f"{name} is missing")
    return value
