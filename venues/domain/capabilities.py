"""What a venue's dialect can and cannot do, declared by its adapter. Nobody else guesses.

The rest of the house asks these declarations instead of naming venues: whether OrderQty (38) in a replace is the
total or the leaves, which fields a replace may change, whether the venue cancels on disconnect (which is never
*assumed* to have happened), how its executions are told apart.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from kernel.fix import OrdType, TimeInForce


class ReplaceQuantity(StrEnum):
    """What OrderQty (38) of an OrderCancelReplaceRequest (35=G) means to the venue."""

    TOTAL = "total"
    LEAVES = "leaves"


class ExecIdentity(StrEnum):
    """What makes two execution reports the same fact."""

    FIVE_PART = "epoch, OrderID, ExecID, ExecType, CumQty"
    EXEC_ID_AND_ORDER = "epoch, OrderID, ExecID"


@dataclass(frozen=True, slots=True)
class Capabilities:
    """One adapter's declaration. ``max_outstanding_replaces`` counts replaces sent and not yet answered."""

    begin_string: str
    ord_types: frozenset[OrdType]
    times_in_force: frozenset[TimeInForce]
    replace_quantity: ReplaceQuantity
    replaceable_fields: frozenset[str]
    max_outstanding_replaces: int
    replace_keeps_priority_when_quantity_falls: bool
    mass_cancel: bool
    cancel_on_disconnect: bool
    order_status_request: bool
    sends_expiry: bool
    exec_identity: ExecIdentity
    exec_id_unique: bool
    unknown_order_answer_is_proof: bool
    """A status answer "unknown order" proves that the order was never received: true where the request follows the
    order on the same numbered session, because the engine then can only lose it together with its number."""

    def supports(self, *, ord_type: OrdType, time_in_force: TimeInForce) -> str:
        """Empty when the venue takes such an order, else the reason why not."""
        if ord_type not in self.ord_types:
            return f"order type {ord_type.name.replace('_', '-').lower()} is not taken"
        if time_in_force not in self.times_in_force:
            return f"time in force {time_in_force.name.replace('_', '-')} is not taken"
        return ""

    def can_replace(self, *, changed: frozenset[str]) -> bool:
        """Whether a replace may change exactly these fields; if not: cancel, wait for proof, then a new order."""
        return bool(changed) and changed <= self.replaceable_fields
