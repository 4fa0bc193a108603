"""FIX 4.4 (with Errata 20030618): the dialect of the simulator and of most equity venues.

Mapping ``fix44/1``. OrderQty (38) of a replace is the total, executed included; a venue that means the leaves has
the same adapter with another declaration (``leaves_dialect``).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal

from kernel.fix import ExecType, MsgType, OrdType, TimeInForce
from kernel.numbers import plain
from venues.adapters.base import (
    QUESTION,
    InboundContext,
    Mapped,
    cancel_reject,
    execution_report,
    lists_nothing,
    numbered_reject,
    values_of,
)
from venues.domain.capabilities import Capabilities, ExecIdentity, ReplaceQuantity
from venues.domain.fix_codec import Fields, utc_timestamp
from venues.domain.messages import IntentKind, OutboundIntent

MSG_TYPES = {
    IntentKind.NEW: MsgType.NEW_ORDER_SINGLE,
    IntentKind.REPLACE: MsgType.ORDER_CANCEL_REPLACE_REQUEST,
    IntentKind.CANCEL: MsgType.ORDER_CANCEL_REQUEST,
    IntentKind.STATUS: MsgType.ORDER_STATUS_REQUEST,
}

FIX44_CAPABILITIES = Capabilities(
    begin_string="FIX.4.4",
    ord_types=frozenset(OrdType),
    times_in_force=frozenset(TimeInForce),
    replace_quantity=ReplaceQuantity.TOTAL,
    replaceable_fields=frozenset(
        {"order_qty", "price", "stop_px", "time_in_force", "expire_at", "expire_date", "min_qty", "max_floor"}
    ),
    max_outstanding_replaces=1,
    replace_keeps_priority_when_quantity_falls=True,
    mass_cancel=False,
    cancel_on_disconnect=False,
    order_status_request=True,
    mass_status_request=True,
    sends_expiry=True,
    exec_identity=ExecIdentity.FIVE_PART,
    exec_id_unique=True,
    unknown_order_answer_is_proof=True,
    replace_below_executed_stops=True,
)


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


def names(intent: OutboundIntent) -> list[tuple[int, str]]:
    """The identifiers every order message begins with."""
    fields = [(35, MSG_TYPES[intent.kind].value), (11, intent.cl_ord_id)]
    if intent.orig_cl_ord_id and intent.kind in (IntentKind.REPLACE, IntentKind.CANCEL):
        fields.append((41, intent.orig_cl_ord_id))
    if intent.venue_order_id and intent.kind is not IntentKind.NEW:
        fields.append((37, intent.venue_order_id))
    return fields


def instrument(intent: OutboundIntent) -> list[tuple[int, str]]:
    """Symbol, ISIN, market and side."""
    terms = intent.terms
    fields = [(55, terms.symbol)]
    if terms.isin:
        fields += [(48, terms.isin), (22, "4")]
    return [*fields, (207, terms.mic), (54, terms.side.value)]


def working_terms(intent: OutboundIntent, capabilities: Capabilities) -> list[tuple[int, str]]:
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


@dataclass(frozen=True, slots=True)
class Fix44:
    """The 4.4 adapter; ``capabilities`` is what a particular venue declares."""

    capabilities: Capabilities = FIX44_CAPABILITIES
    mapping: str = "fix44/1"

    def map_outbound(self, intent: OutboundIntent) -> tuple[tuple[int, str], ...]:
        fields = [*names(intent), *instrument(intent)]
        if intent.kind is IntentKind.STATUS:
            return (*fields, (790, f"{QUESTION}{intent.cl_ord_id}"))
        if intent.terms.account:
            fields.append((1, intent.terms.account))
        fields.append((60, utc_timestamp(intent.transact_time)))
        if intent.kind is IntentKind.CANCEL:
            quantity = intent.terms.order_qty
            return (*fields, (38, plain(quantity))) if quantity is not None else tuple(fields)
        fields.append((21, intent.terms.handling))
        if intent.terms.capacity:
            fields.append((528, intent.terms.capacity))
        return (*fields, *working_terms(intent, self.capabilities))

    def mass_status_request(self, request_id: str) -> tuple[tuple[int, str], ...]:
        return ((35, MsgType.ORDER_MASS_STATUS_REQUEST.value), (584, request_id), (585, "7"))

    def map_inbound(self, fields: Fields, context: InboundContext) -> Mapped:
        values = values_of(fields)
        match values[35]:
            case MsgType.EXECUTION_REPORT.value:
                exec_type = ExecType(values.get(150, ""))
                dialect_type = exec_type.value
                if exec_type in (ExecType.PARTIAL_FILL, ExecType.FILL):
                    exec_type = ExecType.TRADE  # 4.2 codes that 4.4 venues still send
                if lists_nothing(values):
                    return Mapped(())
                report = execution_report(
                    values, context, exec_type=exec_type, dialect_type=dialect_type, capabilities=self.capabilities
                )
                return Mapped((report,))
            case MsgType.ORDER_CANCEL_REJECT.value:
                return Mapped((cancel_reject(values, context),))
            case MsgType.REJECT.value | MsgType.BUSINESS_MESSAGE_REJECT.value:
                return numbered_reject(values, context)
            case _:
                return Mapped(())


def leaves_dialect() -> Fix44:
    """4.4 as spoken by venues whose OrderQty (38) of a replace means the quantity still to be done."""
    leaves = replace(FIX44_CAPABILITIES, replace_quantity=ReplaceQuantity.LEAVES)
    return Fix44(capabilities=leaves, mapping="fix44-leaves/1")


def chained_dialect() -> Fix44:
    """4.4 as its order state matrices have it: replaces in flight behind each other, filled orders replaced upwards."""
    chained = replace(FIX44_CAPABILITIES, max_outstanding_replaces=8, replace_revives_filled=True)
    return Fix44(capabilities=chained, mapping="fix44-chained/1")
