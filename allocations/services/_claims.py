"""Market claims on the tables: made equal to what is owed now, ended by two people, and the money that follows them.

One writer an action at a time (``locks.lock_claims``), then balances. What an ended claim settled is never taken back: where less or
more is owed afterwards, the difference is a claim of its own.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from uuid import UUID

from accounts.domain.ledger import Layer
from accounts.models import TradingAccount
from accounts.selectors import find_suspense_account
from accounts.services.book_claim import ClaimLine, book_claim
from allocations.domain import transitions as moves
from allocations.domain.claiming import PAY, ClaimStep, due_shift
from allocations.locks import lock_claims, next_claim_number
from allocations.models import Claim, SettlementInstruction
from allocations.models.claims import OPEN
from allocations.selectors.claims import residual_of, shifted_of
from authorisation.domain.principal import Principal, process_principal
from authorisation.services.decide_request import Applied, Asking, NotApplied
from journal.domain.chain import EventDraft
from journal.services.append_to_stream import append_to_stream
from kernel.crash_points import crash_point
from kernel.fix import Side
from kernel.ids import new_id
from kernel.numbers import ZERO, plain
from refdata.as_at import terms_of
from refdata.domain.action_transitions import APPLIED
from refdata.models import CorporateAction

ACTOR = process_principal("settlement")
KIND = "ClaimMoved"
ENDED = (moves.PAID, moves.WRITTEN_OFF)


@dataclass(frozen=True, slots=True)
class Owed:
    """What one instruction owes for the action: ``units`` and ``money`` signed, above zero to us; without a currency shares."""

    instruction: SettlementInstruction
    counterparty: str
    units: Decimal
    money: Decimal
    currency: str


def keep_claims(action: CorporateAction, owed: Sequence[Owed], *, at: datetime) -> list[Claim]:
    """Claims of the action are what is owed now, in the caller's transaction; returns the open ones."""
    rows = lock_claims(action.id)
    action.refresh_from_db(fields=["state"])
    had: defaultdict[UUID, list[Claim]] = defaultdict(list)
    for row in rows:
        had[row.instruction_id].append(row)
    for one in owed:
        rows += _keep_one(action, one, had.pop(one.instruction.id, []), at=at)
    for gone in had.values():
        rows += _keep_one(
            action, Owed(gone[-1].instruction, gone[-1].counterparty, ZERO, ZERO, gone[-1].currency), gone, at=at
        )
    crash_point("claims.kept")
    follow_money(action, rows, business_date=at.date(), at=at)
    return [row for row in rows if row.state in OPEN]


def _keep_one(action: CorporateAction, owed: Owed, had: Sequence[Claim], *, at: datetime) -> list[Claim]:
    """At most one new row: what is owed beyond what ended."""
    ended = [row for row in had if row.state in ENDED]
    money = owed.money - sum((row.amount for row in ended), ZERO)
    units = owed.units - sum((row.units for row in ended), ZERO)
    row = next((one for one in had if one.state in OPEN), None)
    if row is None:
        return [_raise(action, owed, units, money, at=at)] if money else []
    if (row.units, row.amount) == (units, money):
        return []
    if not money:
        row.state, row.ended_at, row.reason = moves.WITHDRAWN, at, "Nothing of it is owed any more."
    else:
        row.units, row.amount, row.state = units, money, moves.RAISED
        row.reason = "What is owed became another amount."
    keep(row, actor=ACTOR, at=at)
    return []


def _raise(action: CorporateAction, owed: Owed, units: Decimal, money: Decimal, *, at: datetime) -> Claim:
    terms = terms_of(action)
    expected = (terms.pay_date or terms.ex_date) + timedelta(days=1)
    row = Claim(
        id=new_id(), number=next_claim_number(), action=action, instruction=owed.instruction,
        account_id=owed.instruction.account_id, counterparty=owed.counterparty, units=units, amount=money,
        currency=owed.currency, expected_on=expected, raised_at=at,
    )  # fmt: skip
    keep(row, actor=ACTOR, at=at)
    return row


def follow_money(action: CorporateAction, rows: Sequence[Claim], *, business_date: date, at: datetime) -> None:
    """What claims moved of each account is what they must have moved (``domain.claiming``); ``rows`` are all of the action, locked.

    Stock that was sold short is a leg of its own: its claims move nothing.
    """
    by_account: defaultdict[tuple[UUID, str], list[Claim]] = defaultdict(list)
    is_paid = action.state == APPLIED and terms_of(action).is_paid
    for row in rows:
        if row.currency or not Side(row.instruction.allocation.side).is_short:
            by_account[row.account_id, row.currency].append(row)
    for (account_id, currency), own in sorted(by_account.items()):
        due = due_shift(
            is_paid=is_paid,
            residual=residual_of(action.id, account_id),
            claimed=sum((row.amount for row in own if row.state in OPEN), ZERO),
            ended=sum((row.amount for row in own if row.state in ENDED), ZERO),
        )
        change = due - shifted_of(action.id, account_id, currency)
        stock = None if currency else action.instrument_id
        lines = [
            ClaimLine(account_id, Layer.SETTLED, currency, change, business_date, stock),
            ClaimLine(account_id, Layer.PENDING, currency, -change, own[-1].expected_on, stock),
        ]
        said = {"action_id": str(action.id), "claims": [row.ref for row in own if row.state != moves.WITHDRAWN]}
        book_claim(actor=ACTOR, at=at, business_date=business_date, lines=lines, said=said)


def end_claim(asking: Asking, step: ClaimStep, *, amount: Decimal) -> Applied:
    """Paid by an entry of the bank, or given up, as two people looked at it; then its money follows at once.

    Given up, the account is paid by the house: the error account of the desk or firm bears what did not come.
    """
    claim_id = UUID(asking.payload["claim_id"])
    action = Claim.objects.select_related("action").get(pk=claim_id).action
    rows = lock_claims(action.id)
    row = next(one for one in rows if one.id == claim_id)
    if row.state not in OPEN:
        raise NotApplied(f"{row.ref} is {row.state} already.")
    if row.amount != amount:
        raise NotApplied(f"{row.ref} became {row.said} since this was asked.")
    is_paid = step.step == PAY
    row.state, row.ended_at = moves.PAID if is_paid else moves.WRITTEN_OFF, asking.at
    row.paid_on, row.reference = step.paid_on, step.reference
    row.reason, row.request_id = asking.payload["reason"], asking.facts.id
    actor = replace(ACTOR, on_behalf_of=asking.actor.actor)
    keep(row, actor=actor, at=asking.at)
    day = step.paid_on or asking.at.date()
    if not is_paid:
        _bear(row, actor=actor, day=day, at=asking.at)
    crash_point("claims.ended")
    action.refresh_from_db(fields=["state"])
    follow_money(action, rows, business_date=day, at=asking.at)
    how = f"by {row.reference} of {day.isoformat()}" if is_paid else "and borne by the house"
    return Applied(f"{row.ref} over {row.said} is {row.get_state_display().lower()} {how}.")


def _bear(row: Claim, *, actor: Principal, day: date, at: datetime) -> None:
    desk_id = TradingAccount.objects.values_list("group__desk_id", flat=True).get(id=row.account_id)
    error_id = find_suspense_account(desk_id)
    if error_id is None:
        raise NotApplied("Neither the desk nor the firm has an error account that could bear it.")
    lines = [ClaimLine(error_id, Layer.SETTLED, row.currency, -row.amount, day)]
    said = {"claim_id": str(row.id), "claims": [row.ref], "authorisation_id": str(row.request_id)}
    book_claim(actor=actor, at=at, business_date=day, lines=lines, said=said)


def keep(row: Claim, *, actor: Principal, at: datetime) -> None:
    """Tell what became of it, and write it."""
    row.event_id = new_id()
    draft = EventDraft(
        id=row.event_id, stream=f"market-claim:{row.id}", kind=KIND, actor=actor.actor, on_behalf_of=actor.on_behalf_of,
        correlation_id=row.action_id, event_at=at, received_at=at, business_date=at.date(),
        payload={
            "claim": row.ref, "claim_id": str(row.id), "action_id": str(row.action_id), "account_id": str(row.account_id),
            "instruction_id": str(row.instruction_id), "counterparty": row.counterparty, "state": row.state,
            "units": plain(row.units), "amount": plain(row.amount), "currency": row.currency,
            "paid_on": row.paid_on.isoformat() if row.paid_on else None, "reference": row.reference, "reason": row.reason,
            "authorisation_id": str(row.request_id or ""),
        },
    )  # fmt: skip
    append_to_stream(drafts=[draft], at=at)
    row.save()
