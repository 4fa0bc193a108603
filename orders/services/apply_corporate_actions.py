"""Sweeper: carries approved corporate actions out once their ex date has come, and takes back what is to be undone.

A state machine over the action's own state, restartable at any step: begin (block the instrument) → orders (cancel or
leave, by convention) → accounts (each one transaction, found again by what is not booked yet) → finish (reference data,
state, block lifted). Nothing is remembered outside the tables, so a repetition finds what is left to do.

An account waits until none of its orders that must end is open. The instrument stays blocked for ``SETTLE_S`` at least, so
that an order captured while the block was being written is seen and treated too.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import InterfaceError, OperationalError, transaction

from accounts.services.book_action import EX, PAY
from kernel.crash_points import crash_point
from kernel.errors import Unavailable
from orders.models import Order
from orders.selectors.actions import (
    find_actions_at_work,
    find_booked,
    find_unbooked,
    find_unreversed,
    get_action,
    is_due,
    last_booking_id,
)
from orders.services._actions import (
    ACTOR,
    FAILING,
    LATE,
    PAYMENT_DUE,
    block,
    book_account,
    reverse_account,
    tell,
    tell_not_reversed,
    tell_waiting,
    treat_orders,
    unblock,
)
from refdata.as_at import terms_of
from refdata.domain.action_terms import ActionKind, ActionTerms
from refdata.domain.action_transitions import APPLYING, APPROVED, PAYING, UNDOING
from refdata.locks import lock_action
from refdata.models import CorporateAction
from refdata.services.move_action import move_action
from refdata.services.rename_listing import rename_listing
from refdata.services.rescale_listings import rescale_listings

SETTLE_S = 5
TRANSIENT = (OperationalError, InterfaceError, Unavailable)


def apply_corporate_actions(*, at: datetime, limit: int = 50) -> int:
    """Up to ``limit`` accounts of each action; returns how much was done, zero when all is up to date.

    Slices are small because orders wait for the relay that carries them out.

    What fails unforeseen keeps no other action waiting: it is told, and raised after the others had their turn.
    """
    done, failed = 0, None
    for action_id in find_actions_at_work(before=at.date() + timedelta(days=2)):
        action = get_action(action_id)
        try:
            done += _STEPS[action.state](action, terms_of(action), at, limit)
        except TRANSIENT:
            raise
        except Exception as error:
            tell(action, FAILING, f"Corporate action {action} fails: {error}"[:2000], wrong=True, at=at)
            failed = failed or error
            continue
        tell(action, FAILING, f"Corporate action {action} goes on.", wrong=False, at=at)
    if failed is not None:
        raise failed
    return done


def _begin(action: CorporateAction, terms: ActionTerms, at: datetime, limit: int) -> int:
    if not is_due(action, at):
        return 0
    with transaction.atomic():
        held = lock_action(action.id)
        if held.state != APPROVED or held.version != action.version:
            return 0
        held.seen_before_id = held.seen_booking_id = last_booking_id()
        block(held, at=at)
        move_action(action=held, move="begin", actor=ACTOR, at=at)
        crash_point("action.begun")
    tell(action, LATE, f"{action} is being carried out.", wrong=False, at=at)
    return 1


def _apply(action: CorporateAction, terms: ActionTerms, at: datetime, limit: int) -> int:
    treated = treat_orders(action, terms, undoing=False, at=at)
    waiting = treated.ending
    tell_waiting(action, waiting, at=at)
    todo = find_unbooked(action, terms)
    done = _each(
        [account_id for account_id in todo if account_id not in _accounts_of(waiting)][:limit],
        lambda account_id: (
            book_account(action, terms, account_id, states=(APPLYING,), part=EX, at=at).event_id is not None
        ),
    )
    if waiting or treated.unchanged or not _settled(action, at) or find_unbooked(action, terms):
        return done
    with transaction.atomic():
        held = lock_action(action.id)
        if held.state != APPLYING:
            return done
        _change_reference_data(held, terms, at)
        move = "reach_ex" if terms.is_paid else "complete"
        move_action(action=held, move=move, actor=ACTOR, at=at, payload={"changes": held.changes})
        unblock(held, at=at)
        crash_point("action.finished")
    return done + 1


def _pay(action: CorporateAction, terms: ActionTerms, at: datetime, limit: int) -> int:
    booked = find_booked(action)
    done = _each(
        booked,
        lambda account_id: (
            book_account(action, terms, account_id, states=(PAYING,), part=PAY, at=at).event_id is not None
        ),
        limit=limit,
    )
    if done < limit:
        with transaction.atomic():
            held = lock_action(action.id)
            if held.state == PAYING:
                move_action(action=held, move="complete", actor=ACTOR, at=at)
                done += 1
        tell(action, PAYMENT_DUE, f"{action} is paid.", wrong=False, at=at)
    return done


def _undo(action: CorporateAction, terms: ActionTerms, at: datetime, limit: int) -> int:
    """Its reference data went back when it was decided; accounts follow, and those that cannot are told and tried again."""
    waiting = treat_orders(action, terms, undoing=True, at=at).ending
    tell_waiting(action, waiting, at=at)
    done = missing = 0
    for account_id in find_unreversed(action):
        if account_id in _accounts_of(waiting):
            continue
        if done == limit:
            return done
        result = reverse_account(action, terms, account_id, at=at)
        tell_not_reversed(action, account_id, result.missing, at=at)
        missing += bool(result.missing)
        done += result.event_id is not None
    if waiting or not _settled(action, at):
        return done
    with transaction.atomic():
        held = lock_action(action.id)
        if held.state != UNDOING:
            return done
        unblock(held, at=at)  # an account that has not enough is no reason to stop everybody
        if missing:
            return done
        move_action(action=held, move="undo", actor=ACTOR, at=at)
    return done + 1


_STEPS: dict[str, Callable[[CorporateAction, ActionTerms, datetime, int], int]] = {
    APPROVED: _begin,
    APPLYING: _apply,
    PAYING: _pay,
    UNDOING: _undo,
}


def _each(account_ids: Sequence[UUID], book: Callable[[UUID], bool], *, limit: int = 1_000_000) -> int:
    done = 0
    for account_id in account_ids:
        done += book(account_id)
        if done >= limit:
            break
    return done


def _accounts_of(orders: Sequence[Order]) -> set[UUID]:
    return {order.account_id for order in orders}


def _settled(action: CorporateAction, at: datetime) -> bool:
    return action.begun_at is not None and at >= action.begun_at + timedelta(seconds=SETTLE_S)


def _change_reference_data(action: CorporateAction, terms: ActionTerms, at: datetime) -> None:
    """Prices and volumes into new shares, names into new names; what was there is kept with the action."""
    reason = f"corporate action {action}"
    if terms.kind.is_split:
        new, old = terms.ratio
        zone = ZoneInfo(action.listing.market.time_zone)
        action.changes = {
            "listings": rescale_listings(
                actor=ACTOR,
                at=at,
                instrument_id=action.instrument_id,
                new=new,
                old=old,
                priced_before=datetime.combine(terms.ex_date, time(), zone),
                reason=reason,
            )
        }
    elif terms.kind is ActionKind.NAME_CHANGE:
        listing = action.listing
        action.changes = {
            "symbol": listing.symbol if terms.new_symbol else "",
            "venue_symbol": listing.venue_symbol if terms.new_symbol else "",
            "isin": action.instrument.isin if terms.new_isin else "",
        }
        rename_listing(
            actor=ACTOR,
            at=at,
            action=action,
            day=terms.ex_date,
            symbol=terms.new_symbol,
            venue_symbol=terms.new_venue_symbol,
            isin=terms.new_isin,
        )
