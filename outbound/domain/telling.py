"""An event of the journal in the words of its contract, for those who may hear of it. Pure.

Invariants: who may not see an order hears nothing of it; the same event is told in the same words whenever it is told;
what a contract does not name is not told.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from authorisation.domain.principal import Principal
from journal.domain.records import EventRecord
from kernel.texts import id_text, utc_text
from orders.domain.label import OrderLabel
from orders.permissions import can_see, visible_desks
from outbound.domain.contracts import AT_HOME, BY_TOLD, EXCEPTION, FAMILY_VERSIONS, ORDER, STOP_SCOPES, TRADE, Contract
from outbound.domain.positions import position_text

Told = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Listener:
    """Who listens. ``desks`` narrows what the principal may see; None leaves it as it is."""

    principal: Principal
    desks: frozenset[int] | None = None

    def hears_of(self, *, desk_id: int, group_id: int) -> bool:
        """Whether events of an order of this desk and account group are for this listener."""
        if self.desks is not None and desk_id not in self.desks:
            return False
        return can_see(self.principal, desk_id=desk_id, group_id=group_id)

    def hears_of_stop(self, payload: Mapping[str, Any]) -> bool:
        """A stop of the firm concerns everybody, one of a desk who sees the desk; narrower ones are not told."""
        scope, scope_id = payload.get("scope"), str(payload.get("scope_id", ""))
        if scope == "desk" and scope_id.isdigit():
            desk_id = int(scope_id)
            return desk_id in visible_desks(self.principal) and (self.desks is None or desk_id in self.desks)
        return scope == "firm"

    def hears_of_exception(self, payload: Mapping[str, Any]) -> bool:
        """One about an order is heard as the order is, one of a desk by who sees the desk, one of neither by everybody; what only
        compliance may know stays at home."""
        if payload.get("kind") in AT_HOME:
            return False
        desk_id, group_id = payload.get("desk_id"), payload.get("account_group_id")
        if payload.get("order_id"):
            return desk_id is not None and group_id is not None and self.hears_of(desk_id=desk_id, group_id=group_id)
        if desk_id is None:
            return True
        return desk_id in visible_desks(self.principal) and (self.desks is None or desk_id in self.desks)


def order_of(event: EventRecord) -> UUID | None:
    """The order whose stream the event stands in; None for other streams."""
    name, _, identity = event.stream.partition(":")
    return UUID(identity) if name == "order" else None


def tell(event: EventRecord, labels: Mapping[UUID, OrderLabel], listener: Listener) -> Told | None:
    """The event as the listener gets it, or None when it is not for them. Raises ContractBroken."""
    contract = BY_TOLD.get(event.kind)
    if contract is None or event.version < contract.since:
        return None
    if contract.subject == ORDER:
        order_id = order_of(event)
        label = labels.get(order_id) if order_id else None
        if label is None or not listener.hears_of(desk_id=label.desk_id, group_id=label.group_id):
            return None
        return _envelope(event, contract, _order_subject(label))
    if contract.subject == TRADE:
        payload = event.payload
        if not listener.hears_of(desk_id=payload["desk_id"], group_id=payload["account_group_id"]):
            return None
        subject = {"id": payload["allocation"]["id"], "ref": payload["trade_ref"], "account": payload["account"]}
        return _envelope(event, contract, {"type": TRADE, **subject})
    if contract.subject == EXCEPTION:
        if not listener.hears_of_exception(event.payload):
            return None
        return _envelope(event, contract, {"type": contract.subject, "id": event.payload["exception_id"]})
    if event.payload.get("scope") not in STOP_SCOPES or not listener.hears_of_stop(event.payload):
        return None
    return _envelope(event, contract, {"type": contract.subject, "id": event.payload["stop_id"]})


def _order_subject(label: OrderLabel) -> Told:
    return {
        "type": ORDER,
        "id": id_text(label.order_id),
        "ref": label.ref,
        "client_order_id": label.client_order_id or None,
        "account": label.account,
    }


def _envelope(event: EventRecord, contract: Contract, subject: Told) -> Told:
    return {
        "id": id_text(event.id),
        "position": position_text(event.position),
        "kind": contract.kind,
        "version": FAMILY_VERSIONS[contract.family],
        "subject": subject,
        "sequence": event.seq,
        "event_at": utc_text(event.event_at),
        "recorded_at": utc_text(event.recorded_at),
        "business_date": event.business_date.isoformat(),
        "correlation_id": id_text(event.correlation_id),
        "data": {field.name: field.read(event.payload) for field in contract.fields},
    }
