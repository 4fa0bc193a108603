"""FIX 4.4 (with Errata 20030618): the dialect of the simulator and of most equity venues.

Mapping ``fix44/1``. OrderQty (38) of a replace is the total, executed included; a venue that means the leaves has
the same adapter with another declaration (``leaves_dialect``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from kernel.fix import ExecType, MsgType, OrdType, TimeInForce
from venues.adapters.base import QUESTION
from venues.adapters.dialect import Dialect
from venues.domain.capabilities import Capabilities, ExecIdentity, ReplaceQuantity
from venues.domain.messages import OutboundIntent
from venues.domain.post_trade_codes import BROKER, BUY_SIDE

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
    post_trade=BUY_SIDE | BROKER,
)


@dataclass(frozen=True, slots=True)
class Fix44(Dialect):
    """The 4.4 adapter; ``capabilities`` is what a particular venue declares."""

    capabilities: Capabilities = FIX44_CAPABILITIES
    mapping: str = "fix44/1"

    def status_request(self, intent: OutboundIntent) -> tuple[tuple[int, str], ...]:
        """With OrdStatusReqID (790): which of our requests the answer is for."""
        return (*Dialect.status_request(self, intent), (790, f"{QUESTION}{intent.cl_ord_id}"))

    def mass_status_request(self, request_id: str) -> tuple[tuple[int, str], ...]:
        """All orders of the session (585=7)."""
        return ((35, MsgType.ORDER_MASS_STATUS_REQUEST.value), (584, request_id), (585, "7"))

    def capacity_tag(self) -> int:
        """OrderCapacity (528)."""
        return 528

    def kind_of(self, values: Mapping[int, str]) -> tuple[ExecType, str]:
        """ExecType (150); the 4.2 fills that 4.4 venues still send are trades."""
        said = ExecType(values.get(150, ""))
        return (ExecType.TRADE if said in (ExecType.PARTIAL_FILL, ExecType.FILL) else said), said.value


def leaves_dialect() -> Fix44:
    """4.4 as spoken by venues whose OrderQty (38) of a replace means the quantity still to be done."""
    leaves = replace(FIX44_CAPABILITIES, replace_quantity=ReplaceQuantity.LEAVES)
    return Fix44(capabilities=leaves, mapping="fix44-leaves/1")


def no_expiry_dialect() -> Fix44:
    """4.4 as spoken by venues that let day orders end without a word."""
    return Fix44(capabilities=replace(FIX44_CAPABILITIES, sends_expiry=False), mapping="fix44-no-expiry/1")


def chained_dialect() -> Fix44:
    """4.4 as it is written: replaces in flight behind each other, filled orders replaced upwards, DK taken."""
    chained = replace(FIX44_CAPABILITIES, max_outstanding_replaces=8, replace_revives_filled=True, dont_know_trade=True)
    return Fix44(capabilities=chained, mapping="fix44-chained/1")


def unique_dialect() -> Fix44:
    """4.4 of venues whose ExecIDs are unique for ever, so that several sessions may tell the same."""
    unique = replace(FIX44_CAPABILITIES, exec_identity=ExecIdentity.ACROSS_SESSIONS)
    return Fix44(capabilities=unique, mapping="fix44-unique/1")


def drop_copy_dialect() -> Fix44:
    """The drop copy session of such a venue. It takes no orders."""
    copied = replace(
        FIX44_CAPABILITIES,
        ord_types=frozenset(),
        times_in_force=frozenset(),
        exec_identity=ExecIdentity.ACROSS_SESSIONS,
        post_trade=frozenset(),
        drop_copy=True,
    )
    return Fix44(capabilities=copied, mapping="fix44-drop-copy/1")
