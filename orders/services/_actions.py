"""Steps that the carrying out of a corporate action is made of: each one transaction or part of one, each safe to repeat.

Lock order: the action, then blocks or an account (accounts → orders), never an account before the action.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction

from accounts.domain.action_rules import rule_of
from accounts.domain.ledger import Shortfall
from accounts.models import TradingAccount
from accounts.services.book_action import EX, PAY, ActionBooked, ActionOfAccount, book_action
from authorisation.domain.principal import process_principal
from journal.domain.records import Anomaly, Severity
from journal.services.set_anomaly import set_anomaly
from kernel.crash_points import crash_point
from kernel.errors import Conflict, NotFound
from kernel.numbers import plain
from orders.domain.action_orders import PATIENCE_S, Adjusted, Treatment, has_come_to, terms_of_json, terms_to_json
from orders.models import ActionOrder, Order
from orders.selectors.actions import OrderLine, find_open_orders, plan_orders, working_of
from orders.services.cancel_order import cancel_order
from refdata.domain.action_terms import ActionTerms
from refdata.locks import lock_action
from refdata.models import CorporateAction
from risk.models import Scope
from risk.services.impose_block import impose_block
from risk.services.lift_block import lift_block

ACTOR = process_principal("corporate-actions")
ROUTE = "corporate_action"
WAITING, NOT_REVERSED = "CORPORATE_ACTION_WAITING", "CORPORATE_ACTION_NOT_REVERSED"
LATE, PAYMENT_DUE = "CORPORATE_ACTION_LATE", "CORPORATE_ACTION_PAYMENT_DUE"
FAILING, OLD_MARKS = "CORPORATE_ACTION_FAILING", "CORPORATE_ACTION_OLD_MARKS"


def block_source(action: CorporateAction) -> str:
    """Under which the action's block stands, and alone may be lifted."""
    return f"corporate_action:{action.id}"


def block(action: CorporateAction, *, at: datetime) -> None:
    """No new risk in the instrument; cancels pass."""
    impose_block(
        actor=ACTOR,
        at=at,
        scope=Scope.INSTRUMENT,
        scope_id=str(action.instrument_id),
        source=block_source(action),
        reason=f"Corporate action {action} is being carried out.",
    )


def unblock(action: CorporateAction, *, at: datetime) -> None:
    """Trading goes on; nothing where no block stands."""
    scope = {"scope": Scope.INSTRUMENT, "scope_id": str(action.instrument_id), "source": block_source(action)}
    try:
        lift_block(actor=ACTOR, at=at, reason=f"Corporate action {action} is carried out.", **scope)
    except NotFound:
        return


@dataclass(frozen=True, slots=True)
class Treated:
    """Open orders that must end and have not, and those that their venue has not changed yet."""

    ending: tuple[Order, ...]
    unchanged: tuple[Order, ...]


def treat_orders(action: CorporateAction, terms: ActionTerms, *, undoing: bool, at: datetime) -> Treated:
    """Plan every open order once, cancel what is to be canceled, and say what is still to come."""
    orders = find_open_orders(action)
    known = {row.order_id: row for row in ActionOrder.objects.filter(action=action, undoing=undoing)}
    fresh = [order for order in orders if order.id not in known]
    for line in plan_orders(action, terms, fresh, undoing=undoing, at=at):
        known[line.order.id] = _keep_plan(action, line, undoing=undoing, at=at)
    crash_point("action.planned")
    waiting, unchanged = [], []
    for order in orders:
        row = known[order.id]
        if row.treatment == Treatment.VENUE and not has_come_to(working_of(order), terms_of_json(row.after)):
            if at >= row.planned_at + timedelta(seconds=PATIENCE_S):
                row.treatment = Treatment.CANCEL.value
                row.save(update_fields=["treatment"])
            else:
                unchanged.append(order)
        if row.treatment == Treatment.CANCEL:
            if row.asked_at is None:
                _cancel(action, row, at)
            waiting.append(order)
    still_open = Order.objects.filter(id__in=[order.id for order in waiting], is_open=True)
    return Treated(tuple(still_open.order_by("id")), tuple(unchanged))


def _keep_plan(action: CorporateAction, line: OrderLine, *, undoing: bool, at: datetime) -> ActionOrder:
    order = line.order
    row, _ = ActionOrder.objects.get_or_create(
        action=action,
        order=order,
        undoing=undoing,
        defaults={
            "treatment": line.planned.treatment.value,
            "before": terms_to_json(Adjusted(order.order_qty, order.price, order.stop_px)),
            "after": terms_to_json(line.planned.adjusted),
            "planned_at": at,
        },
    )
    return row


def _cancel(action: CorporateAction, row: ActionOrder, at: datetime) -> None:
    """Through the normal door, once; what stands in the way is kept with the order and told by the waiting anomaly."""
    try:
        cancel_order(
            actor=ACTOR,
            at=at,
            idempotency_key=f"{action.id}:{row.order_id}:{row.undoing}",
            route=ROUTE,
            order_id=row.order_id,
            reason=f"Corporate action {action}: its old terms do not hold any more.",
        )
        row.asked_at, row.obstacle = at, ""
    except Conflict as error:
        row.obstacle = error.sentence
        if error.code == "CANCEL_IN_FLIGHT":
            row.asked_at = at
    row.save(update_fields=["asked_at", "obstacle"])
    crash_point("action.canceled")


def book_account(
    action: CorporateAction, terms: ActionTerms, account_id: UUID, *, states: Sequence[str], part: str, at: datetime
) -> ActionBooked:
    """One account's part in one transaction, unless the action has moved on meanwhile."""
    with transaction.atomic():
        held = lock_action(action.id)
        if held.state not in states or held.version != action.version:
            return ActionBooked()
        what = ActionOfAccount(
            action.id, account_id, action.instrument_id, terms.ex_date, rule_of(terms, action.instrument_id)
        )
        booked = book_action(actor=ACTOR, at=at, what=what, part=part)
        crash_point("action.account_written")
    crash_point("action.account_booked")
    return booked


def reverse_account(action: CorporateAction, terms: ActionTerms, account_id: UUID, *, at: datetime) -> ActionBooked:
    """All of it back for one account in one transaction, or nothing and what is missing for it."""
    result = ActionBooked()
    with transaction.atomic():
        if lock_action(action.id).state != action.state:
            return result
        what = ActionOfAccount(action.id, account_id, action.instrument_id, terms.ex_date, None)
        for part in (PAY, EX):
            booked = book_action(actor=ACTOR, at=at, what=what, part=part)
            if booked.missing:
                transaction.set_rollback(True)
                return booked
            result = booked if booked.event_id else result
        crash_point("action.account_reversed")
    return result


def tell_waiting(action: CorporateAction, waiting: Sequence[Order], *, at: datetime) -> None:
    """Somebody must hear of it when orders keep an action from being carried out for too long."""
    begun = action.begun_at or at
    refs = ", ".join(order.ref for order in waiting[:20])
    wrong = bool(waiting) and at >= begun + timedelta(seconds=PATIENCE_S)
    if wrong:
        sentence = (
            f"Corporate action {action} waits for {len(waiting)} orders to end: {refs}. Cancel them at the venue."
        )
    else:
        sentence = f"Corporate action {action} waits for no order any more."
    tell(action, WAITING, sentence, wrong=wrong, at=at, evidence={"orders": refs})


def tell_not_reversed(action: CorporateAction, account_id: UUID, missing: Sequence[Shortfall], *, at: datetime) -> None:
    """What cannot be taken back now, and by exactly how much it falls short."""
    code = TradingAccount.objects.values_list("code", flat=True).get(id=account_id)
    short = ", ".join(f"{plain(-one.available)} {one.currency or 'shares'}" for one in missing)
    if missing:
        sentence = f"Corporate action {action} cannot be taken back for {code}: {short} are gone. It is tried again."
    else:
        sentence = f"Corporate action {action} is taken back for {code}."
    evidence = {"account": code, "missing": short}
    tell(action, NOT_REVERSED, sentence, wrong=bool(missing), at=at, evidence=evidence, key=f":{account_id}")


def tell(
    action: CorporateAction,
    kind: str,
    sentence: str,
    *,
    wrong: bool,
    at: datetime,
    evidence: dict[str, str] | None = None,
    key: str = "",
) -> None:
    """Raise or clear one matter of the action."""
    anomaly = Anomaly(
        kind=kind,
        severity=Severity.HIGH,
        subject_type="corporate_action",
        subject_id=str(action.id),
        sentence=sentence,
        dedupe_key=f"action:{action.id}:{kind}{key}",
        evidence={"action": str(action), **(evidence or {})},
    )
    set_anomaly(anomaly=anomaly, wrong=wrong, actor=ACTOR.actor, at=at)
