"""What the FIX dialects share: one frame for the messages we send, one for those we read. A dialect fills the gaps.

A subclass says which extra fields its messages carry, in which field it writes the capacity, and what kind of
report a message is. Everything else, and every rule that must not differ between dialects, is here and in ``base``.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from kernel.fix import ExecType, MsgType
from kernel.numbers import plain
from kernel.post_trade import PostTradeMessage
from venues.adapters.base import (
    InboundContext,
    Mapped,
    cancel_reject,
    execution_report,
    lists_nothing,
    numbered_reject,
    values_of,
)
from venues.domain.capabilities import Capabilities, ReplaceQuantity
from venues.domain.fix_codec import Fields, utc_timestamp
from venues.domain.messages import DontKnow, IntentKind, OutboundIntent
from venues.domain.post_trade import write
from venues.domain.post_trade_reading import read

MSG_TYPES = {
    IntentKind.NEW: MsgType.NEW_ORDER_SINGLE,
    IntentKind.REPLACE: MsgType.ORDER_CANCEL_REPLACE_REQUEST,
    IntentKind.CANCEL: MsgType.ORDER_CANCEL_REQUEST,
    IntentKind.STATUS: MsgType.ORDER_STATUS_REQUEST,
}


@dataclass(frozen=True, slots=True)
class Dialect(ABC):
    """An adapter without the peculiarities: ``capabilities`` is the venue's declaration, ``mapping`` names the rules."""

    capabilities: Capabilities
    mapping: str

    def map_outbound(self, intent: OutboundIntent) -> tuple[tuple[int, str], ...]:
        """MsgType (35) first, then the body fields. The engine adds session fields."""
        if intent.kind is IntentKind.STATUS:
            return self.status_request(intent)
        fields = [*_names(intent), *_instrument(intent)]
        if intent.terms.account:
            fields.append((1, intent.terms.account))
        fields.append((60, utc_timestamp(intent.transact_time)))
        if intent.kind is IntentKind.CANCEL:
            quantity = intent.terms.order_qty
            return (*fields, (38, plain(quantity))) if quantity is not None else tuple(fields)
        fields.append((21, intent.terms.handling))
        if intent.terms.capacity:
            fields.append((self.capacity_tag(), intent.terms.capacity))
        return (*fields, *_working_terms(intent, self.capabilities))

    def map_inbound(self, fields: Fields, context: InboundContext) -> Mapped:
        """Raises ValueError for a message that breaks the specification."""
        values = values_of(fields)
        match values[35]:
            case MsgType.EXECUTION_REPORT.value:
                if lists_nothing(values):
                    return Mapped(())
                exec_type, dialect_type = self.kind_of(values)
                return Mapped(
                    (
                        execution_report(
                            values,
                            context,
                            exec_type=exec_type,
                            dialect_type=dialect_type,
                            capabilities=self.capabilities,
                            mapping=self.mapping,
                        ),
                    )
                )
            case MsgType.ORDER_CANCEL_REJECT.value:
                return Mapped((cancel_reject(values, context, capabilities=self.capabilities, mapping=self.mapping),))
            case MsgType.REJECT.value | MsgType.BUSINESS_MESSAGE_REJECT.value:
                return numbered_reject(values, context, mapping=self.mapping)
            case _:
                return Mapped(())

    def status_request(self, intent: OutboundIntent) -> tuple[tuple[int, str], ...]:
        """The question for one request: its names and what it is about."""
        return (*_names(intent), *_instrument(intent))

    def mass_status_request(self, request_id: str) -> tuple[tuple[int, str], ...]:
        """The question for all open orders (35=AF). Raises ValueError where the dialect has none."""
        raise ValueError("the dialect has no question for all open orders")

    def dont_know(self, trade: DontKnow) -> tuple[tuple[int, str], ...]:
        """35=Q, the same in all FIX versions spoken here. Raises ValueError where the venue takes none."""
        if not self.capabilities.dont_know_trade:
            raise ValueError("the venue takes no DK")
        optional = [
            (37, trade.venue_order_id),
            (17, trade.exec_id),
            (127, trade.reason),
            (55, trade.symbol),
            (48, trade.isin),
            (22, "4" if trade.isin else ""),
            (207, trade.mic),
            (54, trade.side),
            (38, "" if trade.order_qty is None else plain(trade.order_qty)),
            (32, plain(trade.last_qty)),
            (31, plain(trade.last_px)),
            (58, trade.text),
        ]
        return ((35, MsgType.DONT_KNOW_TRADE.value), *((tag, value) for tag, value in optional if value))

    def map_post_trade(self, message: PostTradeMessage) -> Fields:
        """As the version of FIX has it. Raises ValueError for a kind that the venue does not take."""
        if message.kind not in self.capabilities.post_trade:
            raise ValueError(f"the venue takes no {message.kind.value}")
        return write(message, begin_string=self.capabilities.begin_string)

    def read_post_trade(self, fields: Fields, *, counterparty: str) -> PostTradeMessage:
        """Whatever comes is read, declared or not: what it says may matter."""
        return read(fields, counterparty=counterparty)

    @abstractmethod
    def capacity_tag(self) -> int:
        """The field that says in which capacity we trade."""

    @abstractmethod
    def kind_of(self, values: Mapping[int, str]) -> tuple[ExecType, str]:
        """The 4.4 word for a report, and the dialect's own, which is part of the report's identity."""


def _names(intent: OutboundIntent) -> list[tuple[int, str]]:
    """The identifiers every order message begins with."""
    fields = [(35, MSG_TYPES[intent.kind].value), (11, intent.cl_ord_id)]
    if intent.orig_cl_ord_id and intent.kind in (IntentKind.REPLACE, IntentKind.CANCEL):
        fields.append((41, intent.orig_cl_ord_id))
    if intent.venue_order_id and intent.kind is not IntentKind.NEW:
        fields.append((37, intent.venue_order_id))
    return fields


def _instrument(intent: OutboundIntent) -> list[tuple[int, str]]:
    """Symbol, ISIN, market and side."""
    terms = intent.terms
    fields = [(55, terms.symbol)]
    if terms.isin:
        fields += [(48, terms.isin), (22, "4")]
    return [*fields, (207, terms.mic), (54, terms.side.value)]


def _working_terms(intent: OutboundIntent, capabilities: Capabilities) -> list[tuple[int, str]]:
    """Quantity, type, prices, time in force and the conditions, each only when the order has it."""
    terms = intent.terms
    quantity = _quantity(intent, capabilities)
    optional = [
        (38, None if quantity is None else plain(quantity)),
        (40, terms.ord_type.value),
        (44, None if terms.price is None else plain(terms.price)),
        (99, None if terms.stop_px is None else plain(terms.stop_px)),
        (59, terms.time_in_force.value),
        (110, None if terms.min_qty is None else plain(terms.min_qty)),
        (111, None if terms.max_floor is None else plain(terms.max_floor)),
        (126, None if terms.expire_at is None else utc_timestamp(terms.expire_at)),
        (432, None if terms.expire_date is None else terms.expire_date.strftime("%Y%m%d")),
        (114, "N" if terms.side.is_short else None),
        (15, terms.currency or None),
    ]
    return [(tag, value) for tag, value in optional if value is not None]


def _quantity(intent: OutboundIntent, capabilities: Capabilities) -> Decimal | None:
    total = intent.terms.order_qty
    if total is None or intent.kind is not IntentKind.REPLACE:
        return total
    if capabilities.replace_quantity is ReplaceQuantity.TOTAL:
        return total
    leaves = total - intent.cum_qty
    if leaves <= 0:
        raise ValueError(f"{plain(intent.cum_qty)} are executed, nothing would be left of {plain(total)}")
    return leaves
