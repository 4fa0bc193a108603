"""Money held and booked, and the way out to the venue and back in."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import replace as changed
from decimal import Decimal
from typing import Any
from unittest.mock import patch

from accounts.domain import arithmetic
from accounts.domain.arithmetic import HoldAmounts
from kernel.numbers import ZERO, round_money_down
from orders.domain import applying, facts, fold, holding
from orders.domain.changes import Folded
from orders.domain.facts import OrderFacts
from tests.unit.simulation.planted_bugs.planting import bug
from venues.adapters import registry
from venues.simulation import gateway, inbox
from venues.simulation.books import Books
from venues.simulation.house import Crash

# Money


@bug
def nothing_is_held_for_an_open_replace() -> Iterator[None]:
    real = holding.held_for

    def old_terms_only(terms: Any, **kwargs: Any) -> HoldAmounts:
        return real(terms, **{**kwargs, "asked": ()})

    with patch.object(holding, "held_for", old_terms_only), patch.object(applying, "held_for", old_terms_only):
        yield


@bug
def money_is_rounded_down() -> Iterator[None]:
    with patch.object(arithmetic, "round_money", round_money_down):
        yield


@bug
def what_was_booked_is_not_taken_back() -> Iterator[None]:
    real = arithmetic.change_effect

    def forgets(*, before: Any, **kwargs: Any) -> arithmetic.Effect:
        return real(before=(ZERO, ZERO), **kwargs)

    with patch.object(applying, "change_effect", forgets):
        yield


# The way out and the way in


@bug
def sent_before_it_is_on_record() -> Iterator[None]:
    real = gateway.hand_over

    def careless(books: Books, tick: int, crash: str) -> list[str]:
        if crash != "after_send":
            return real(books, tick, crash)
        kept = {name: copy.copy(getattr(books, name)) for name in ("orders", "waiting", "hand_overs", "origs")}
        requests = {order_id: list(rows) for order_id, rows in books.requests.items()}
        raws = real(books, tick, crash)
        for name, value in kept.items():
            setattr(books, name, value)
        books.requests = requests
        return raws

    with patch.object(gateway, "hand_over", careless):
        yield


@bug
def the_cursor_moves_before_the_fold() -> Iterator[None]:
    real = inbox.consume

    def hasty(books: Books, limit: int, tick: int, crash: str) -> None:
        if crash == "before_commit":
            books.cursor = min(books.cursor + limit, len(books.inbox))
            raise Crash
        real(books, limit, tick, crash)

    with patch.object(inbox, "consume", hasty):
        yield


@bug
def silence_is_a_rejection() -> Iterator[None]:
    real = gateway._move

    def impatient(books: Books, order: Any, request_id: Any, state: str) -> None:
        real(books, order, request_id, "rejected" if state == "unknown" else state)

    with patch.object(gateway, "_move", impatient):
        yield


@bug
def an_unknown_fate_is_kept_quiet() -> Iterator[None]:
    with patch.object(gateway, "unknown_key", lambda name: "quiet"), patch.object(applying, "unknown_key", lambda n: n):
        yield


@bug
def unmatched_reports_are_matched_by_economics() -> Iterator[None]:
    real = inbox.owner_of

    def guesses(books: Books, report: Any, by_venue_id: Any) -> Any:
        alike = (i for i, o in books.orders.items() if o.order_qty == report.order_qty and o.price == report.price)
        return real(books, report, by_venue_id) or next(alike, None)

    with patch.object(inbox, "owner_of", guesses):
        yield


@bug
def what_matches_nothing_is_forgotten() -> Iterator[None]:
    real = inbox.fold_all

    def forgets(books: Books, reports: Any, tick: int) -> Any:
        works, _, known = real(books, reports, tick)
        return works, [], known

    with patch.object(inbox, "fold_all", forgets):
        yield


@bug
def a_leaves_venue_is_sent_the_total() -> Iterator[None]:
    with patch.dict(registry.ADAPTERS, {"fix44-leaves": registry.ADAPTERS["fix44"]}):
        yield


@bug
def a_bust_is_decided_from_the_sum() -> Iterator[None]:
    real = fold.needs_all

    def seldom(known: OrderFacts, report: Any) -> bool:
        amends = report.exec_type is not None and report.exec_type.value in "GHD"
        return real(changed(known, state=known.state._replace(parked=())), report) and not amends

    def folds(known: OrderFacts, report: Any) -> Folded:
        with patch.object(fold, "needs_all", lambda *_: False):
            return fold.fold(known, report)

    with patch.object(fold, "needs_all", seldom), patch.object(applying, "fold", folds):
        yield


@bug
def facts_are_stored_with_floats() -> Iterator[None]:
    with patch.object(facts, "_number", lambda value: Decimal(float(value) * 1.0000001) if value else None):
        yield
