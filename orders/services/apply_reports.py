"""Apply what venues reported: correlate, lock accounts then orders, fold in memory, write in bulk. One path for 1 and 1,000.

Correlation is by our ClOrdID, else by the venue's order id on the session the order went to; never by economics. What
matches no order of ours is kept, its executions lie in suspense, and it joins its order in the transaction in which that
becomes known by its names. Facts are always booked.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import orjson
from django.db import transaction

from accounts.domain.fee_book import FeeBook
from accounts.domain.fees import FeeSet, fees_to_json
from accounts.domain.ledger import OrderHold, TradeBooking
from accounts.locks import lock_money
from accounts.selectors.fees import get_fee_book
from journal.bulk import update_rows, write_rows
from journal.domain.chain import Head, last_heads
from journal.domain.records import ANOMALY_CLEARED, Anomaly, Severity
from journal.services.append_events import append_events
from journal.services.append_to_stream import append_to_stream
from journal.services.raise_anomaly import anomaly_draft
from kernel.fix import Side
from kernel.ids import new_id
from kernel.numbers import ZERO
from orders.domain.amending import accepted_terms
from orders.domain.applying import Applied, ExecutionState, OrderRow, Tools, apply_to_order
from orders.domain.changes import AnomalyFound
from orders.domain.charging import select_for_snapshot
from orders.domain.derive import is_overfilled
from orders.domain.facts import facts_of_reports, facts_to_json
from orders.domain.fold import needs_all
from orders.domain.holding import instrument_of
from orders.domain.report import Report, dated_in
from orders.domain.results import ApplyResult
from orders.domain.suspense import excess_units
from orders.locks import lock_order_rows, lock_request_rows
from orders.models import Execution, Order, OrderRequest, UnknownOrder
from orders.selectors.history import (
    Known,
    find_acceptances,
    find_executions_of_orders,
    find_executions_of_reports,
    find_reports,
)
from orders.services._booking import book_facts
from orders.services._borrowing import tell_overused
from orders.services._correlating import correlate, write_names
from orders.services._excess import OVERFILL, move_excess
from orders.services._recognising import recognise
from orders.services._unmatched import join, keep_unmatched
from refdata.domain.market_clock import MarketClock
from refdata.selectors import get_market_clock
from risk.services.set_usage import DayTrade, OrderCount, set_usage

ACTOR = "process:inbox"
_ORDER_FIELDS = (
    "facts", "ord_status", "order_qty", "cum_qty", "leaves_qty", "avg_px", "price", "stop_px", "time_in_force",
    "cl_ord_id", "venue_order_id", "is_open", "overfilled", "request_state", "needs_attention", "updated_at", "version",
    "last_event_seq", "last_event_hash", "fees",
)  # fmt: skip


def apply_reports(*, reports: Sequence[Report], at: datetime) -> ApplyResult:
    """Apply the reports in one transaction (the caller's, when there is one). Any order, any number of times, same end."""
    if not reports:
        return ApplyResult(0, 0, 0, 0)
    with transaction.atomic():
        sorted_out = correlate(reports)
        by_order = sorted_out.by_order
        works = _fold(by_order, {owner.account_id for owner in sorted_out.owners.values()}, at) if by_order else []
        done = [work for work in works if work.reports]
        bookings = _write(done, at) if done else []
        anomalies = _tell(done, at)
        # Seldom: reports of orders we do not have, orders we did not have until now, executions beyond what was ordered.
        bookings += join(sorted_out.joined, state=UnknownOrder.State.MATCHED, actor=ACTOR, at=at)
        suspended, news = keep_unmatched(sorted_out.unmatched, actor=ACTOR, at=at)
        # Money last: trades, what moved in and out of suspense, and the holds that are left, as one change.
        holds = [_hold(work) for work in done if work.held != work.held_before]
        book_facts(bookings + suspended, holds=holds, actor=ACTOR, at=at)
        shorts = [work.order.id for work in done if Side(work.order.side).is_short]
        if shorts:
            anomalies += tell_overused(shorts, actor=ACTOR, at=at)
        write_names(sorted_out, done)
        set_usage(counts=_counts(done), trades=_trades(done))
    return ApplyResult(
        applied=sum(work.reports for work in works),
        duplicates=sum(work.duplicates for work in works),
        unmatched=len(sorted_out.unmatched),
        anomalies=anomalies + news,
        order_ids=tuple(work.order.id for work in done),
    )


def _fold(by_order: dict[UUID, list[Report]], accounts: set[UUID], at: datetime) -> list[Applied]:
    lock_money(account_ids=accounts, instrument_ids=())
    orders = lock_order_rows(by_order)
    for order_id, acceptances in find_acceptances([one.id for one in orders.values() if one.accepted_excess]).items():
        orders[order_id] = orders[order_id]._replace(acceptances=acceptances)
    recognise(by_order, actor=ACTOR, at=at)
    requests = lock_request_rows(by_order)
    known = find_executions_of_reports(by_order)
    known |= _open_whole(orders, by_order, known)
    clocks = {mic: get_market_clock(mic) for mic in {order.snapshot["mic"] for order in orders.values()}}
    settled: dict[tuple[str, date], date] = {}

    books: list[FeeBook] = []

    def fee_terms(order: OrderRow, day: date) -> FeeSet | None:
        if not books:
            books.append(get_fee_book())
        found = select_for_snapshot(
            books[0], order.snapshot, side=order.side, account_class=order.account_class, day=day
        )
        return found.terms if found.covered else None

    def settlement_date(mic: str, trade_date: date) -> date:
        settles = settled.get((mic, trade_date))
        if settles is None:
            settles = settled[mic, trade_date] = clocks[mic].settlement_date(trade_date)
        return settles

    tools = Tools(
        new_id=new_id,
        settlement_date=settlement_date,
        execution_ids={key: execution_id for key, (execution_id, _) in known.items()},
        execution_days=dict(known.values()),
        fee_terms=fee_terms,
        at=at,
        actor=ACTOR,
    )
    return [
        apply_to_order(orders[order_id], requests.get(order_id, []), _dated(reports, orders[order_id], clocks), tools)
        for order_id, reports in sorted(by_order.items())
    ]


def _dated(reports: Sequence[Report], order: OrderRow, clocks: Mapping[str, MarketClock]) -> list[Report]:
    zone = clocks[order.snapshot["mic"]].zone
    return [dated_in(report, zone) for report in reports]


def _open_whole(
    orders: dict[UUID, OrderRow],
    by_order: Mapping[UUID, Sequence[Report]],
    known: Known,
) -> Known:
    """Put all facts in the hand of the orders whose sum cannot decide what is reported; ids of all their executions."""
    wanted = [
        order_id
        for order_id, order in orders.items()
        if any(needs_all(order.facts, r) for r in by_order[order_id] if not _is_known(order, r, known))
    ]
    for order_id, reports in find_reports(wanted).items():
        order = orders[order_id]
        orders[order_id] = order._replace(facts=facts_of_reports(order.facts.requests, reports))
    return find_executions_of_orders(wanted)


def _is_known(order: OrderRow, report: Report, known: Known) -> bool:
    """Whether it stands after all facts and was reported before: a duplicate whatever else it says."""
    behind = order.facts.behind
    return (report.position.epoch, report.position.seq) > behind.place and (
        report.identity in behind.seen or (order.id, report.identity) in known
    )


def _write(done: Sequence[Applied], at: datetime) -> list[TradeBooking]:
    """Events, executions, orders, requests: everything the batch changed but money, a statement or two each.

    Returns what is to be booked.
    """
    drafts = [draft for work in done for draft in work.drafts]
    heads = {f"order:{w.order.id}": Head(w.order.last_event_seq, w.order.last_event_hash) for w in done}
    rows = append_events(drafts=drafts, heads=heads, at=at)
    _write_executions(done, at)
    _write_orders(done, last_heads(rows), at)
    _write_terms(done)
    _write_accepted(done)
    answers = [
        (answer.request_id, answer.state, answer.code[:60], answer.text, at)
        for work in done
        for answer in work.answers.values()
    ]
    update_rows(OrderRequest, answers, key=("id",), fields=("state", "outcome_code", "outcome_text", "answered_at"))
    bookings = [booking for work in done for booking in work.bookings]
    for work in done:
        if work.derived.overfilled or is_overfilled(work.order.facts.state):
            order, before = Order.objects.get(id=work.order.id), work.order.facts.state
            accepted = work.order.accepted_excess
            had = excess_units(cum_qty=before.cum_qty, order_qty=before.order_qty, accepted=accepted)
            bookings += move_excess(order, had=had, actor=ACTOR, at=at)
    return bookings


def _counts(done: Sequence[Applied]) -> list[OrderCount]:
    return [OrderCount(work.order.id, work.counted) for work in done if work.counted != work.counted_before]


def _trades(done: Sequence[Applied]) -> list[DayTrade]:
    """What each order bought and sold on each business date more (or less) than before."""
    is_buy = {work.order.id: Side(work.order.side).is_buy for work in done}
    found: dict[tuple[UUID, date], Decimal] = {}
    for work in done:
        for booking in work.bookings:
            place = (work.order.id, booking.trade_date)
            found[place] = found.get(place, ZERO) + booking.cash_delta
    return [
        DayTrade(order_id, day, bought=-cash) if is_buy[order_id] else DayTrade(order_id, day, sold=cash)
        for (order_id, day), cash in sorted(found.items())
        if cash
    ]


def _hold(work: Applied) -> OrderHold:
    order, held = work.order, work.held
    return OrderHold(
        order_id=order.id,
        account_id=order.account_id,
        cash_currency=order.snapshot["currency"] if held.cash else "",
        cash=held.cash,
        instrument_id=instrument_of(order.snapshot) if held.stock else None,
        stock=held.stock,
        event_id=work.drafts[-1].id,
    )


def _write_executions(done: Sequence[Applied], at: datetime) -> None:
    new: list[tuple[Any, ...]] = []
    changed: list[tuple[Any, ...]] = []
    for work in done:
        for state in work.executions.values():
            change = state.change
            if state.first is None:
                stated = change.stated or (None, None)
                changed.append((state.id, change.exec_ref_id, change.effective_qty, change.effective_px, *stated))
            else:
                new.append(_execution_row(work, state, state.first.report, at))
    write_rows(Execution, new, fields=_EXECUTION_FIELDS)
    update_rows(Execution, changed, key=("id",), fields=_CHANGED_FIELDS)


_CHANGED_FIELDS = ("exec_ref_id", "effective_qty", "effective_px", "stated_qty", "stated_px")
_EXECUTION_FIELDS = (
    "id", "order_id", "identity", "exec_id", "exec_ref_id", "exec_type", "cl_ord_id", "side", "last_qty", "last_px",
    "effective_qty", "effective_px", "stated_qty", "stated_px", "last_mkt", "session_epoch", "msg_seq_num", "wire_message_id", "event_id",
    "event_at", "received_at", "recorded_at", "trade_date", "settlement_date",
)  # fmt: skip


def _execution_row(work: Applied, state: ExecutionState, trade: Report, at: datetime) -> tuple[Any, ...]:
    change = state.change
    return (
        state.id,
        work.order.id,
        change.identity,
        change.exec_id,
        change.exec_ref_id,
        trade.exec_type.value if trade.exec_type else "",
        trade.cl_ord_id,
        work.order.side,
        trade.last_qty,
        trade.last_px,
        change.effective_qty,
        change.effective_px,
        *(change.stated or (None, None)),
        trade.last_mkt,
        trade.position.epoch,
        trade.position.seq,
        trade.wire_message_id,
        state.event_id,
        trade.event_at,
        trade.received_at,
        at,
        trade.trade_date,
        state.settlement_date,
    )


def _write_orders(done: Sequence[Applied], heads: Mapping[str, Head], at: datetime) -> None:
    rows = []
    for work in done:
        order, derived = work.order, work.derived
        head = heads[f"order:{order.id}"]
        rows.append(
            (
                order.id,
                orjson.dumps(facts_to_json(work.facts)),
                derived.ord_status.value if derived.ord_status else None,
                derived.order_qty if derived.order_qty is not None else order.order_qty,
                derived.cum_qty,
                derived.leaves_qty,
                derived.avg_px,
                derived.price,
                derived.stop_px,
                derived.time_in_force,
                derived.cl_ord_id or order.cl_ord_id,
                derived.venue_order_id or order.venue_order_id,
                derived.is_open,
                derived.overfilled,
                work.request_state,
                work.needs_attention,
                at,
                head.seq,
                head.seq,
                head.hash,
                orjson.dumps(fees_to_json(work.fees)) if work.fees.as_of else None,
            )
        )
    update_rows(Order, rows, key=("id",), fields=_ORDER_FIELDS)


def _write_terms(done: Sequence[Applied]) -> None:
    """Orders that work under another request now: the terms of it that no report repeats."""
    names = {work.order.id: work.derived.cl_ord_id for work in done if work.derived.cl_ord_id != work.order.cl_ord_id}
    if not names:
        return
    accepted = OrderRequest.objects.filter(kind=OrderRequest.Kind.REPLACE, cl_ord_id__in=list(names.values()))
    rows = [
        (order_id, *accepted_terms(payload).values())
        for order_id, payload in accepted.order_by("id").values_list("order_id", "payload")
    ]
    update_rows(Order, rows, key=("id",), fields=("min_qty", "max_floor", "expire_at", "expire_date"))


def _write_accepted(done: Sequence[Applied]) -> None:
    """Orders of which a split made what was accepted another number of units."""
    rows = [
        (work.order.id, work.accepted_excess) for work in done if work.accepted_excess != work.order.accepted_excess
    ]
    update_rows(Order, rows, key=("id",), fields=("accepted_excess",))


def _tell(done: Sequence[Applied], at: datetime) -> int:
    """Raise what a person must see and clear what is settled; returns how many were raised."""
    drafts = []
    raised = 0
    for work in done:
        for key, found in work.raised.items():
            if found.kind == OVERFILL:
                continue  # told with what became of the excess
            raised += 1
            drafts.append(anomaly_draft(anomaly=_anomaly(work, key, found), actor=ACTOR, at=at))
        for key, gone in work.cleared.items():
            if gone.kind == OVERFILL:
                continue
            item = AnomalyFound(gone.kind, "low", "Later reports of the venue settle the matter.", "", key)
            drafts.append(anomaly_draft(anomaly=_anomaly(work, key, item), actor=ACTOR, at=at, kind=ANOMALY_CLEARED))
    append_to_stream(drafts=drafts, at=at)
    return raised


def _anomaly(work: Applied, key: str, found: AnomalyFound) -> Anomaly:
    return Anomaly(
        kind=found.kind,
        severity=Severity(found.severity),
        subject_type="order",
        subject_id=str(work.order.id),
        sentence=f"{work.order.ref}: {found.sentence}",
        dedupe_key=f"order:{work.order.id}:{key}",
        evidence={"ref": work.order.ref, "evidence": found.evidence},
    )
