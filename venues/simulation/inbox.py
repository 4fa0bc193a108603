"""Our way in in the pure run: rows behind the cursor, mapped by the real adapter, folded by the real core, one commit.

Mirrors ``consume_inbox`` and ``apply_reports``. Reports that match no order wait until an order learns the OrderID
they name; nothing is ever matched by economics.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from uuid import UUID

from accounts.domain import ledger
from kernel.numbers import ZERO
from orders.domain import applying, fold
from orders.domain.applying import Applied, OrderRow, Tools
from orders.domain.facts import summed
from orders.domain.report import Report
from venues.adapters.base import InboundContext
from venues.domain import echoes, fix_codec
from venues.simulation import doors
from venues.simulation.books import ACCOUNT, Books, InboxRow, fee_terms, moment, whole_facts
from venues.simulation.house import Crash

SESSION = "SIM"


def epoch_name(seed: int, epoch: int) -> str:
    """The name of one run of numbers; later ones sort after earlier ones."""
    return f"{seed:08d}-{epoch:04d}"


def consume(books: Books, limit: int, tick: int, crash: str) -> None:
    """Work the next rows, and move the cursor with what they did."""
    rows = books.inbox[books.cursor : books.cursor + limit]
    if not rows:
        return
    latest = dict(books.latest)
    reports, problems = read(books, rows, latest)
    works, unmatched, known = fold_all(books, reports, tick)
    if crash == "before_commit":
        raise Crash
    commit(books, works, unmatched, problems)
    books.cursor += len(rows)
    books.latest, books.venue_names = latest, known
    if crash:
        raise Crash


def read(books: Books, rows: Sequence[InboxRow], latest: dict[str, str]) -> tuple[list[Report], list[str]]:
    """The reports of the rows, repetitions left out, and what the venue refused without naming a request.

    ``latest`` holds the last raw message about each order, and is brought up to date.
    """
    reports: list[Report] = []
    problems: list[str] = []
    for place, row in enumerate(rows, start=books.cursor):
        if books.first_rows[row.epoch, row.seq] != place:
            continue
        fields = fix_codec.parse(row.raw)
        if _is_echo(row.raw, fields, latest):
            continue
        number = fix_codec.first_values(fields).get(45, "")
        sent = books.sent.get((row.epoch, int(number))) if number else None
        context = InboundContext(
            session=SESSION,
            epoch=epoch_name(books.world.seed, row.epoch),
            msg_seq_num=row.seq,
            received_at=row.received_at,
            wire_message_id=place,
            sent={int(number): sent} if sent is not None else {},
        )
        mapped = books.adapter.map_inbound(fields, context)
        reports += mapped.reports
        if mapped.problem:
            problems.append(f"wire:{row.epoch}:{row.seq}")
    return reports, problems


def fold_all(books: Books, reports: Sequence[Report], tick: int) -> tuple[list[Applied], list[Report], dict[str, UUID]]:
    """What the reports, and those that waited for an order they now explain, do to each order."""
    known = dict(books.venue_names)
    for report in reports:
        order_id = owner_of(books, report, {})
        if order_id is not None and report.venue_order_id:
            known.setdefault(report.venue_order_id, order_id)
    by_order: dict[UUID, list[Report]] = {}
    unmatched: list[Report] = []
    for report in (*books.unmatched, *reports):
        order_id = owner_of(books, report, known)
        if order_id is None:
            unmatched.append(report)
        else:
            by_order.setdefault(order_id, []).append(report)
    tools = Tools(
        new_id=books.new_id,
        settlement_date=lambda mic, day: _settlement(day),
        execution_ids=books.execution_ids,
        execution_days=books.trade_dates,
        fee_terms=lambda order, day: fee_terms(order.side),
        at=moment(tick),
        actor="process:inbox",
    )
    works = [
        applying.apply_to_order(_open(books, order_id, found), books.requests[order_id], found, tools)
        for order_id, found in sorted(by_order.items())
    ]
    return works, unmatched, known


def _open(books: Books, order_id: UUID, reports: Sequence[Report]) -> OrderRow:
    """The order with all facts in hand where their sum cannot decide what is reported."""
    order = books.orders[order_id]
    if not any(fold.needs_all(order.facts, r) for r in reports if not _is_known(books, order, r)):
        return order
    return order._replace(facts=whole_facts(books, order_id))


def _is_known(books: Books, order: OrderRow, report: Report) -> bool:
    behind = order.facts.behind
    return (report.position.epoch, report.position.seq) > behind.place and (
        report.identity in behind.seen or (order.id, report.identity) in books.execution_ids
    )


def owner_of(books: Books, report: Report, by_venue_id: dict[str, UUID]) -> UUID | None:
    """By ClOrdID, then OrigClOrdID, else by the venue's OrderID."""
    found = books.owners.get(report.cl_ord_id or "") or books.owners.get(report.orig_cl_ord_id or "")
    return found or by_venue_id.get(report.venue_order_id or "")


def commit(books: Books, works: Sequence[Applied], unmatched: list[Report], problems: Sequence[str]) -> None:
    """Orders, requests, executions, money and matters, at once."""
    for work in works:
        if work.reports:
            _write(books, work)
    for report in books.unmatched:
        books.other_matters.pop(_unknown_order(report), None)
    books.unmatched = unmatched
    for report in unmatched:
        books.other_matters[_unknown_order(report)] = "UNKNOWN_ORDER"
    for key in problems:
        books.other_matters[key] = "MESSAGE_REFUSED_BY_VENUE"


def _write(books: Books, work: Applied) -> None:
    order, derived = work.order, work.derived
    row = order._replace(
        facts=summed(work.facts),
        ord_status=derived.ord_status.value if derived.ord_status else None,
        order_qty=derived.order_qty if derived.order_qty is not None else order.order_qty,
        cum_qty=derived.cum_qty,
        leaves_qty=derived.leaves_qty,
        price=derived.price,
        stop_px=derived.stop_px,
        time_in_force=derived.time_in_force,
        cl_ord_id=derived.cl_ord_id or order.cl_ord_id,
        venue_order_id=derived.venue_order_id or order.venue_order_id,
        is_open=derived.is_open,
        request_state=work.request_state,
        fees=work.fees,
        version=order.version + 1,
    )
    books.orders[order.id] = row
    books.journal.setdefault(order.id, []).extend(d for d in work.drafts if d.kind == "ReportApplied")
    requests = books.requests[order.id]
    for place, request in enumerate(requests):
        answer = work.answers.get(request.id)
        if answer is not None:
            requests[place] = request._replace(state=answer.state)
    effective, stated = books.effective[order.id], books.stated[order.id]
    for identity, state in work.executions.items():
        books.execution_ids[order.id, identity] = state.id
        books.trade_dates[state.id] = state.trade_date
        effective[identity] = (state.change.effective_qty, state.change.effective_px)
        stated[identity] = state.change.stated or effective[identity]
    matters = books.matters[order.id]
    for key in work.cleared:
        matters.pop(key, None)
    matters.update((key, found.kind) for key, found in work.raised.items())
    _book(books, work)


def _book(books: Books, work: Applied) -> None:
    order = work.order
    new = doors.hold_row(order, work.held)
    changes = [(books.holds.get(order.id), new)] if work.held != work.held_before else []
    postings = [posting for booking in work.bookings for posting in ledger.trade_postings(booking)]
    if not postings and not changes:
        return
    doors.keep_money(books, ledger.post({ACCOUNT: books.account}, postings, changes))
    if changes:
        books.holds[order.id] = new
    cash, stock = books.moved[order.id]
    charged = books.charged.setdefault(order.id, {})
    for booking in work.bookings:
        cash, stock = cash + booking.cash_delta, stock + booking.qty_delta
        for charge in booking.charges:
            charged[charge.name] = charged.get(charge.name, ZERO) + charge.amount
    books.moved[order.id] = (cash, stock)


def _is_echo(raw: str, fields: fix_codec.Fields, latest: dict[str, str]) -> bool:
    """A status answer that says again what was said last about its order."""
    values = fix_codec.first_values(fields)
    about = values.get(37, "NONE")
    about = values.get(11, "") if about == "NONE" else about
    before = latest.get(about, "")
    latest[about] = raw
    return bool(before) and echoes.is_status_answer(raw) and echoes.is_echo(raw, before)


def _unknown_order(report: Report) -> str:
    return f"unknown-order:{report.venue_order_id or report.cl_ord_id or report.identity}"


def _settlement(day: date) -> date:
    return day + timedelta(days=2)
