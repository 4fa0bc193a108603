"""The one interface every venue adapter has, and what all FIX dialects share.

Reading rules that no dialect may bend: a value that is absent stays None; nothing is inferred from another field; a
code that is not in the specification raises, so that the message is set aside and seen by a person.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from hashlib import sha256
from typing import Protocol

from kernel.fix import ExecType, MsgType, OrdStatus
from kernel.numbers import ZERO
from kernel.post_trade import PostTradeMessage
from orders.domain.report import Position, Report
from venues.domain.capabilities import Capabilities, ExecIdentity
from venues.domain.fix_codec import Fields, first_values, parse_utc_timestamp
from venues.domain.messages import DontKnow, OutboundIntent

ORDER_MESSAGES = frozenset({"D", "F", "G"})
QUESTION = "Q"
"""OrdStatusReqID (790) of our questions is this and the ClOrdID of the request asked for."""


@dataclass(frozen=True, slots=True)
class SentMessage:
    """What we sent under one MsgSeqNum, for rejects that name only the number."""

    msg_type: str
    cl_ord_id: str


@dataclass(frozen=True, slots=True)
class InboundContext:
    """Where an inbound message stands. ``sent`` holds our outbound messages by the RefSeqNum that rejects name."""

    session: str
    epoch: str
    msg_seq_num: int
    received_at: datetime
    wire_message_id: int | None = None
    sent: Mapping[int, SentMessage] = field(default_factory=dict)
    raw_sha256: str = ""


@dataclass(frozen=True, slots=True)
class Mapped:
    """The reports in a message, or in ``problem`` why there is none although a person should know."""

    reports: tuple[Report, ...]
    problem: str = ""


class Adapter(Protocol):
    """One dialect. ``mapping`` names the version of its rules and is kept with every message sent and every report read:
    rules that read a message otherwise than before are a new version."""

    @property
    def mapping(self) -> str: ...

    @property
    def capabilities(self) -> Capabilities: ...

    def map_outbound(self, intent: OutboundIntent) -> tuple[tuple[int, str], ...]:
        """MsgType (35) first, then the body fields. The engine adds session fields."""
        ...

    def mass_status_request(self, request_id: str) -> tuple[tuple[int, str], ...]:
        """The question for all open orders (35=AF). Raises ValueError where the venue takes none."""
        ...

    def dont_know(self, trade: DontKnow) -> tuple[tuple[int, str], ...]:
        """That we do not recognise a trade (35=Q). Raises ValueError where the venue takes none."""
        ...

    def map_inbound(self, fields: Fields, context: InboundContext) -> Mapped:
        """Raises ValueError for a message that breaks the specification."""
        ...

    def map_post_trade(self, message: PostTradeMessage) -> Fields:
        """A post-trade message to send, MsgType (35) first. Raises ValueError where the venue does not take it."""
        ...

    def read_post_trade(self, fields: Fields, *, counterparty: str) -> PostTradeMessage:
        """A post-trade message that came. Raises ValueError for one that breaks the specification."""
        ...


def decimal_of(values: Mapping[int, str], tag: int) -> Decimal | None:
    """The finite decimal of a tag, None when absent. ValueError when it is something else."""
    text = values.get(tag)
    return _number(tag, text) if text else None


@lru_cache(maxsize=16_384)
def _number(tag: int, text: str) -> Decimal:
    try:
        value = Decimal(text)
    except InvalidOperation as error:
        raise ValueError(f"{tag}={text!r} is not a number") from error
    if not value.is_finite():
        raise ValueError(f"{tag}={text!r} is not a finite number")
    return value


def quantity_of(values: Mapping[int, str], tag: int) -> Decimal | None:
    """As :func:`decimal_of`, and not negative."""
    value = decimal_of(values, tag)
    if value is not None and value < 0:
        raise ValueError(f"{tag}={value} is negative")
    return value


def name_of(values: Mapping[int, str], tag: int) -> str | None:
    """An identifier, None when absent, empty or the word NONE that venues put for 'no such order'."""
    text = values.get(tag, "").strip()
    return None if text in ("", "NONE") else text


def local_date(text: str | None, fallback: date) -> date:
    """TradeDate (75) as a date; the fallback when absent (the report is then ``undated``). ValueError when malformed."""
    if not text:
        return fallback
    return datetime.strptime(text, "%Y%m%d").date()  # noqa: DTZ007 - a date without a zone is what the tag holds


def identity_of(
    rule: ExecIdentity, *, epoch: str, values: Mapping[int, str], exec_type: ExecType, dialect_type: str
) -> str:
    """The application identity of an execution report. A venue's ExecID alone may repeat; see ``ExecIdentity``.

    A status answer is an observation, not a happening: each one is its own fact, named by its number.
    """
    if exec_type is ExecType.ORDER_STATUS:
        return "|".join([epoch, exec_type.value, values.get(34, "")])
    order_id, exec_id, kind = values.get(37, ""), values.get(17, ""), dialect_type or exec_type.value
    if rule is ExecIdentity.BY_CONTENT or not exec_id:
        rest = [order_id, "", kind, *(_as_said(values, tag) for tag in _CONTENT)]
    elif rule is ExecIdentity.FIVE_PART:
        rest = [order_id, exec_id, kind, _as_said(values, 14)]
    elif rule is ExecIdentity.ACROSS_SESSIONS:
        rest = [order_id, exec_id, kind]
    else:
        rest = [order_id, exec_id]
    return f"{_world(rule, epoch)}|{_short('|'.join(rest))}"


def _world(rule: ExecIdentity, epoch: str) -> str:
    """How far a name reaches: its epoch, or all sessions and times."""
    return "*" if rule is ExecIdentity.ACROSS_SESSIONS else epoch


def position_of(context: InboundContext, capabilities: Capabilities) -> Position:
    """Where a report stands. Copies stand behind all that the trading sessions say: "~" sorts after every epoch."""
    return Position(f"~{context.epoch}" if capabilities.drop_copy else context.epoch, context.msg_seq_num)


_CONTENT = (11, 41, 19, 39, 38, 14, 151, 32, 31, 60)
_NUMBERS = frozenset({38, 14, 151, 32, 31})
_LONGEST = 120


def _as_said(values: Mapping[int, str], tag: int) -> str:
    """A value in the one spelling of it: 100 and 100.00 are the same quantity."""
    if tag not in _NUMBERS:
        return values.get(tag, "")
    number = decimal_of(values, tag)
    return "" if number is None else format(number.normalize(), "f")


def _short(name: str) -> str:
    """Names of any length in a bounded column: a long one is told by its digest."""
    return name if len(name) <= _LONGEST else sha256(name.encode()).hexdigest()


def execution_report(
    values: Mapping[int, str],
    context: InboundContext,
    *,
    exec_type: ExecType,
    dialect_type: str,
    capabilities: Capabilities,
    mapping: str,
) -> Report:
    """An execution report (35=8) once the dialect has said what kind it is."""
    event_at = parse_utc_timestamp(values.get(60, "")) or parse_utc_timestamp(values.get(52, "")) or context.received_at
    status = values.get(39)
    position = position_of(context, capabilities)
    proves = capabilities.unknown_order_answer_is_proof
    if exec_type is ExecType.ORDER_STATUS and status == OrdStatus.REJECTED and not proves:
        status = None  # "unknown order" proves nothing here: the request stays unknown, a person decides
    return Report(
        msg_type=MsgType.EXECUTION_REPORT.value,
        position=position,
        identity=identity_of(
            capabilities.exec_identity,
            epoch=position.epoch,
            values=values,
            exec_type=exec_type,
            dialect_type=dialect_type,
        ),
        received_at=context.received_at,
        event_at=event_at,
        trade_date=local_date(values.get(75), event_at.date()),
        undated=not values.get(75),
        exec_type=exec_type,
        ord_status=OrdStatus(status) if status else None,
        cl_ord_id=name_of(values, 11),
        orig_cl_ord_id=name_of(values, 41),
        venue_order_id=name_of(values, 37),
        exec_id=values.get(17, ""),
        exec_ref_id=values.get(19, ""),
        order_qty=quantity_of(values, 38),
        price=decimal_of(values, 44),
        stop_px=decimal_of(values, 99),
        last_qty=quantity_of(values, 32) or ZERO,
        last_px=decimal_of(values, 31) or ZERO,
        cum_qty=quantity_of(values, 14),
        leaves_qty=quantity_of(values, 151),
        avg_px=decimal_of(values, 6),
        restatement_reason=values.get(378, ""),
        reject_code=values.get(103, ""),
        text=values.get(58, ""),
        last_mkt=values.get(30, ""),
        symbol=values.get(55, ""),
        security_id=values.get(48, ""),
        market=values.get(207, ""),
        side=values.get(54, ""),
        poss_resend=values.get(97) == "Y",
        poss_dup=values.get(43) == "Y",
        wire_message_id=context.wire_message_id,
        raw_sha256=context.raw_sha256,
        session=context.session,
        asked_for=_asked_for(values) if proves and exec_type is ExecType.ORDER_STATUS else "",
        mapping=mapping,
    )


def _asked_for(values: Mapping[int, str]) -> str:
    """The request our question was about, as far as the answer says so."""
    question = values.get(790, "")
    return question.removeprefix(QUESTION) if question.startswith(QUESTION) else ""


def lists_nothing(values: Mapping[int, str]) -> bool:
    """Whether this answers a mass status request with "no open orders": it is about no order."""
    return 584 in values and name_of(values, 11) is None and name_of(values, 37) is None


def cancel_reject(
    values: Mapping[int, str], context: InboundContext, *, capabilities: Capabilities, mapping: str
) -> Report:
    """An order cancel reject (35=9). Its OrdStatus is handed on as said; the core decides what it proves."""
    event_at = parse_utc_timestamp(values.get(60, "")) or parse_utc_timestamp(values.get(52, "")) or context.received_at
    status = values.get(39)
    position = position_of(context, capabilities)
    return Report(
        msg_type=MsgType.ORDER_CANCEL_REJECT.value,
        position=position,
        identity="|".join(
            (_world(capabilities.exec_identity, position.epoch), "9", *(values.get(tag, "") for tag in (11, 41, 434)))
        ),
        received_at=context.received_at,
        event_at=event_at,
        trade_date=event_at.date(),
        undated=True,
        ord_status=OrdStatus(status) if status else None,
        cl_ord_id=name_of(values, 11),
        orig_cl_ord_id=name_of(values, 41),
        venue_order_id=name_of(values, 37),
        reject_code=values.get(102, ""),
        text=values.get(58, ""),
        poss_resend=values.get(97) == "Y",
        poss_dup=values.get(43) == "Y",
        wire_message_id=context.wire_message_id,
        raw_sha256=context.raw_sha256,
        session=context.session,
        mapping=mapping,
    )


def numbered_reject(values: Mapping[int, str], context: InboundContext, *, mapping: str) -> Mapped:
    """A session reject (35=3) or business reject (35=j): it names our message by RefSeqNum (45).

    Only a refused order message ends a request. A refused status request proves nothing about its order. One that is
    flagged PossResend may mean a number of an earlier epoch, and so names nothing.
    """
    msg_type = values.get(35, "")
    number = values.get(45, "")
    named = number.isdigit() and values.get(97) != "Y"
    sent = context.sent.get(int(number)) if named else None
    reason = values.get(58, "") or "no text"
    if sent is None:
        return Mapped((), f"The venue rejected message {number or 'without number'}, which is not ours: {reason}")
    if sent.msg_type not in ORDER_MESSAGES or not sent.cl_ord_id:
        return Mapped((), f"The venue rejected our message {number} of type {sent.msg_type}: {reason}")
    event_at = parse_utc_timestamp(values.get(52, "")) or context.received_at
    report = Report(
        msg_type=msg_type,
        position=Position(context.epoch, context.msg_seq_num),
        identity="|".join([context.epoch, msg_type, number]),
        received_at=context.received_at,
        event_at=event_at,
        trade_date=event_at.date(),
        undated=True,
        cl_ord_id=sent.cl_ord_id,
        reject_code=values.get(373 if msg_type == MsgType.REJECT.value else 380, ""),
        text=values.get(58, ""),
        poss_dup=values.get(43) == "Y",
        wire_message_id=context.wire_message_id,
        raw_sha256=context.raw_sha256,
        session=context.session,
        mapping=mapping,
    )
    return Mapped((report,))


def values_of(fields: Fields) -> dict[int, str]:
    """First value of each tag; ValueError without MsgType."""
    values = first_values(fields)
    if 35 not in values:
        raise ValueError("message without MsgType (35)")
    return values
