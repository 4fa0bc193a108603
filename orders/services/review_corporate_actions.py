"""Sweeper: what time brings about corporate actions that are not at work: late notices, due payments, late trades.

A trade of before the ex date that is told, corrected or busted later changes what an account is entitled to: the difference
to what is booked is booked, and nothing where there is none. It looks at bookings since the look before the last one, so
that one committed out of order is met by the next. After ``CLAIMS_DAYS`` claims are a person's matter (fsck goes on
finding a difference).
"""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from accounts.services.book_action import EX
from orders.selectors.actions import (
    find_actions_to_review,
    find_late,
    find_marks_in_old_shares,
    get_action,
    is_due,
    last_booking_id,
    marks_in_words,
    today_of,
)
from orders.services._actions import LATE, OLD_MARKS, PAYMENT_DUE, book_account, tell
from refdata.as_at import terms_of
from refdata.domain.action_terms import ActionTerms
from refdata.domain.action_transitions import ANNOUNCED, APPLYING, CHECKED, EX_APPLIED, STANDS
from refdata.models import CorporateAction

CLAIMS_DAYS = 90
SLICE = 100


def review_corporate_actions(*, at: datetime) -> int:
    """Look once at each; returns how many bookings were made."""
    done = 0
    found = find_actions_to_review(
        since=at - timedelta(days=1),
        claims_since=(at - timedelta(days=CLAIMS_DAYS)).date(),
        before=at.date() + timedelta(days=2),
    )
    for action_id in found:
        action = get_action(action_id)
        terms = terms_of(action)
        _tell(action, terms, at)
        if action.state in STANDS and terms.kind.is_split:
            _tell_of_marks(action, terms, at)
        if action.state in (APPLYING, *STANDS):
            done += _settle_claims(action, terms, at)
    return done


def _tell(action: CorporateAction, terms: ActionTerms, at: datetime) -> None:
    late = action.state in (ANNOUNCED, CHECKED) and is_due(action, at)
    sentence = f"The ex date {terms.ex_date} of {action} has come and nobody has approved it."
    tell(action, LATE, sentence if late else f"{action} is not late any more.", wrong=late, at=at)
    due = action.state == EX_APPLIED and terms.pay_date is not None and today_of(action, at) > terms.pay_date
    sentence = f"{action} was payable on {terms.pay_date} and its money is not confirmed."
    tell(action, PAYMENT_DUE, sentence if due else f"The payment of {action} is not missed.", wrong=due, at=at)


def _tell_of_marks(action: CorporateAction, terms: ActionTerms, at: datetime) -> None:
    """A limit is changed by a second person's word alone: that its units are old ones is said until it was."""
    marks = find_marks_in_old_shares(action, at=at)
    sentence = f"Limits of {action.listing.symbol} are in shares of before {action}: {marks_in_words(marks, terms)}."
    tell(action, OLD_MARKS, sentence if marks else f"Limits are in the shares of {action}.", wrong=bool(marks), at=at)


def _settle_claims(action: CorporateAction, terms: ActionTerms, at: datetime) -> int:
    last, beyond, done = last_booking_id(), UUID(int=0), 0
    while concerned := find_late(action, after=action.seen_before_id, beyond=beyond, limit=SLICE):
        for account_id in concerned:
            booked = book_account(action, terms, account_id, states=(APPLYING, *STANDS), part=EX, at=at)
            done += booked.event_id is not None
        beyond = concerned[-1]
    if last > action.seen_before_id:
        CorporateAction.objects.filter(id=action.id).update(seen_before_id=action.seen_booking_id, seen_booking_id=last)
    return done
