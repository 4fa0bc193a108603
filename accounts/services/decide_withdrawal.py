"""A second person's word on a withdrawal: approved, it is booked at once if it is still covered, else its cash is given back."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from accounts.domain.ledger import Layer, OrderHold, Posting, post
from accounts.locks import lock_holds, lock_money
from accounts.models import Booking
from accounts.selectors import find_account_by_code
from accounts.selectors.books import get_cash
from accounts.services._withdrawing import KIND, hold_of, withdrawal_event
from accounts.services._write import BOOKING_FIELDS, booking_values, write_holds, write_posted
from accounts.services.end_withdrawal import end_withdrawal
from authorisation.domain.principal import Principal
from authorisation.services.decide_request import Applied, Asking, NotApplied, Subject
from journal.bulk import write_rows
from journal.services.append_to_stream import append_to_stream
from kernel.errors import NotFound
from kernel.numbers import ZERO, plain


def _load(asking: Asking) -> None:
    asked = asking.payload
    if find_account_by_code(asking.actor, asked["account"]) is None:
        raise NotFound("AUTHORISATION_UNKNOWN", "There is no such request that you may see.")
    lock_money(account_ids=[UUID(asked["account_id"])], instrument_ids=())


def _apply(asking: Asking, case: None) -> Applied:
    asked = asking.payload
    obstacle = obstacle_of(asked, at=asking.at)
    if obstacle:
        raise NotApplied(obstacle)
    _book(asked, asking.actor, asking.facts.maker_id, asking.at)
    return Applied(f"{asked['amount']} {asked['currency']} are paid out.")


def _decline(asking: Asking, case: None) -> str:
    end_withdrawal(asking.payload, why="It was declined.", actor=asking.actor.actor, at=asking.at)
    return "Nothing is paid out."


def _give_up(asking: Asking, case: None, why: str) -> None:
    end_withdrawal(asking.payload, why=why, actor=asking.actor.actor, at=asking.at)


def obstacle_of(asked: Mapping[str, Any], *, at: datetime) -> str:
    """Why it cannot be paid now, its own hold given back; or the empty text."""
    view = get_cash(account_id=UUID(asked["account_id"]), currency=asked["currency"], today=at.date())
    short = view.reserved + view.debts - view.settled
    if short <= ZERO:
        return ""
    return f"It is not covered any more: {plain(short)} {asked['currency']} are missing."


def _book(asked: Mapping[str, Any], actor: Principal, maker_id: int, at: datetime) -> None:
    """The settled layer gives it, the hold goes, in one change. It was covered, so nothing falls below zero."""
    hold = hold_of(asked)
    line = {"currency": hold.cash_currency, "instrument_id": None, "amount": plain(-hold.cash)}
    said = withdrawal_event(
        "WithdrawalBooked", {**asked, "lines": [line], "maker_id": maker_id}, actor=actor.actor,
        on_behalf_of=actor.on_behalf_of, at=at,
    )  # fmt: skip
    posting = Posting(hold.account_id, said.id, Layer.SETTLED, -hold.cash, hold.cash_currency)
    money = lock_money(account_ids=[hold.account_id], instrument_ids=())
    changes = [(lock_holds([hold.order_id]).get(hold.order_id), OrderHold(hold.order_id, hold.account_id))]
    posted = post(money, [posting], changes)
    append_to_stream(drafts=[said], at=at)
    write_posted(posted)
    write_holds(changes, at=at)
    row = booking_values(
        posting, kind=Booking.Kind.WITHDRAWAL, trade_date=at.date(), settlement_date=at.date(), at=at
    )  # fmt: skip
    write_rows(Booking, [row], fields=BOOKING_FIELDS)


_SUBJECT = Subject(KIND, _load, _apply, _decline, give_up=_give_up)
decide_withdrawal = _SUBJECT.decide
"""Approve or decline.

Raises as ``authorisation.services.decide_request`` does; then nothing changed.
"""
