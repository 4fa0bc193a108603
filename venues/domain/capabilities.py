"""What a venue's dialect can and cannot do, declared by its adapter. Nobody else guesses.

The rest of the house asks these declarations instead of naming venues: whether OrderQty (38) in a replace is the
total or the leaves, which fields a replace may change, whether the venue cancels on disconnect (which is never
*assumed* to have happened), how its executions are told apart.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from kernel.fix import OrdType, TimeInForce
from kernel.post_trade import MessageKind
from orders.domain.venue_rules import VenueRules
from risk.domain.facts import ReplaceRules


class ReplaceQuantity(StrEnum):
    """What OrderQty (38) of an OrderCancelReplaceRequest (35=G) means to the venue."""

    TOTAL = "total"
    LEAVES = "leaves"


class ExecIdentity(StrEnum):
    """What makes two execution reports the same fact.

    The first is for venues whose ExecIDs repeat; all but the third begin with the epoch, so that ExecIDs may start
    again when numbers do. The third is for ExecIDs that are unique for ever: the same execution over several
    sessions (drop copies) is one fact. The last is for venues without ExecIDs, and is used for any single report that
    comes without one: a report is what it says, its quantities and TransactTime included.
    """

    FIVE_PART = "epoch, OrderID, ExecID, ExecType, CumQty"
    EXEC_ID_AND_ORDER = "epoch, OrderID, ExecID"
    ACROSS_SESSIONS = "OrderID, ExecID, ExecType"
    BY_CONTENT = "epoch, OrderID, everything the report says"


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
    mass_status_request: bool
    sends_expiry: bool
    exec_identity: ExecIdentity
    exec_id_unique: bool
    unknown_order_answer_is_proof: bool
    """A status answer "unknown order" proves that the order was never received: true where the request follows the
    order on the same numbered session, because the engine then can only lose it together with its number."""
    replace_revives_filled: bool = False
    """A filled order may be replaced upwards and works again."""
    replace_below_executed_stops: bool = False
    """A replace to less than is executed already asks the venue to stop where it is; otherwise it is an error."""
    names_last_accepted: bool = False
    """OrigClOrdID names the last request the venue accepted, not (as FIX has it) the last one sent and not rejected."""
    min_change_interval_ms: int = 0
    max_changes_a_minute: int = 0
    """How fast replaces and cancels of one order may follow each other; 0 is no such rule."""
    dont_know_trade: bool = False
    """The venue takes DontKnowTrade (35=Q) for an execution we do not recognise."""
    post_trade: frozenset[MessageKind] = frozenset()
    """The post-trade messages we may send there; which of them the role there needs is configuration of who confirms."""
    takes_poss_resend: bool = True
    """A post-trade message flagged PossResend (97=Y) is compared with what is there, not booked a second time."""
    drop_copy: bool = False
    """The session repeats what others said. Its reports stand behind theirs, whose numbers say nothing about its own."""

    def supports(self, *, ord_type: OrdType, time_in_force: TimeInForce) -> str:
        """Empty when the venue takes such an order, else the reason why not."""
        if ord_type not in self.ord_types:
            return f"order type {ord_type.name.replace('_', '-').lower()} is not taken"
        if time_in_force not in self.times_in_force:
            return f"time in force {time_in_force.name.replace('_', '-')} is not taken"
        return ""

    def rules(self, mapping: str) -> VenueRules:
        """What of this the doors of orders keep with every order that goes to such a venue."""
        return VenueRules(
            mapping=mapping,
            replace=ReplaceRules(
                max_outstanding=self.max_outstanding_replaces,
                replaceable=self.replaceable_fields,
                means_leaves=self.replace_quantity is ReplaceQuantity.LEAVES,
                revives_filled=self.replace_revives_filled,
                # What is still to be done cannot be said as less than nothing.
                below_executed_stops=self.replace_below_executed_stops
                and self.replace_quantity is ReplaceQuantity.TOTAL,
                min_interval_ms=self.min_change_interval_ms,
                max_a_minute=self.max_changes_a_minute,
            ),
            names_last_accepted=self.names_last_accepted,
            mass_cancel=self.mass_cancel,
            cancel_on_disconnect=self.cancel_on_disconnect,
            sends_expiry=self.sends_expiry,
            takes_dont_know=self.dont_know_trade,
        )
