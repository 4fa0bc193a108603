"""Keep reports that name no order of ours, and let them join once one is known by their names.

What an unknown order executed lies in the firm's suspense account: its reports are folded as those of an order with nothing
ordered, and what is booked is the difference to what was booked before. When the order turns out to be ours, everything
moves back out and the reports are folded where they belong, in their venue position.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from uuid import UUID
from zoneinfo import ZoneInfo

from accounts.domain.arithmetic import Effect
from accounts.domain.ledger import TradeBooking
from accounts.selectors import find_suspense_account
from journal.bulk import insert_rows
from journal.domain.chain import EventDraft
from journal.domain.records import ANOMALY_CLEARED, Anomaly, Severity
from journal.services.append_to_stream import append_to_stream
from journal.services.raise_anomaly import anomaly_draft
from kernel.fix import Side
from kernel.ids import new_id
from kernel.numbers import ZERO, plain
from orders.domain.kept_report import kept, report_of
from orders.domain.report import Report, dated_in
from orders.domain.suspense import Terms, whole_effect
from orders.domain.unknown import executions_of, name_of, side_of
from orders.locks import lock_unknown_orders
from orders.models import UnknownOrder, UnmatchedReport
from refdata.models import Listing, Market
from refdata.selectors import find_listing_as_named, get_market_clock

UNKNOWN_ORDER = "UNKNOWN_ORDER"
_REPORT_FIELDS = (
    "unknown_id", "session", "epoch", "msg_seq_num", "identity", "cl_ord_id", "orig_cl_ord_id", "venue_order_id",
    "report", "recorded_at",
)  # fmt: skip


def keep_unmatched(reports: Sequence[Report], *, actor: str, at: datetime) -> tuple[list[TradeBooking], int]:
    """Keep them, each once, and say so; what is to be booked in suspense, and how many were news."""
    if not reports:
        return [], 0
    reports = _dated(reports)
    ids = _unknown_orders(reports, at)
    rows = [
        (
            ids[report.session, name_of(report)], report.session, report.position.epoch, report.position.seq,
            report.identity, report.cl_ord_id or "", report.orig_cl_ord_id or "", report.venue_order_id or "",
            kept(report), at,
        )
        for report in reports
    ]  # fmt: skip
    written = insert_rows(
        UnmatchedReport, rows, fields=_REPORT_FIELDS, on_conflict="DO NOTHING", returning=("unknown_id",)
    )
    news = {row[0] for row in written}
    unknown = lock_unknown_orders(news)
    bookings = [booking for row in unknown.values() for booking in _book(row, actor, at)]
    drafts = [anomaly_draft(anomaly=_anomaly(row), actor=actor, at=at) for row in unknown.values()]
    append_to_stream(drafts=drafts, at=at)
    return bookings, len(written)


def _dated(reports: Sequence[Report]) -> list[Report]:
    """With the date of the market that the venue names; where it names none of ours, UTC's stands until one is known."""
    mics = {mic for report in reports if report.undated and (mic := report.market or report.last_mkt)}
    zones = {market.mic: ZoneInfo(market.time_zone) for market in Market.objects.filter(mic__in=mics)} if mics else {}
    return [
        dated_in(report, zone) if (zone := zones.get(report.market or report.last_mkt)) else report
        for report in reports
    ]


def join(joined: Mapping[int, UUID], *, state: str, actor: str, at: datetime) -> list[TradeBooking]:
    """The kept reports (by row) have been folded into these orders: they wait no more. What is to be booked back."""
    if not joined:
        return []
    by_order: dict[UUID, list[int]] = {}
    for row_id, order_id in joined.items():
        by_order.setdefault(order_id, []).append(row_id)
    owners: dict[UUID, UUID] = {}
    for order_id, row_ids in by_order.items():
        waiting = UnmatchedReport.objects.filter(id__in=row_ids, order__isnull=True)
        owners |= dict.fromkeys(waiting.values_list("unknown_id", flat=True), order_id)
        waiting.update(order_id=order_id, joined_at=at)
    bookings: list[TradeBooking] = []
    drafts: list[EventDraft] = []
    for row in lock_unknown_orders(owners).values():
        bookings += _book(row, actor, at)
        if not UnmatchedReport.objects.filter(unknown=row, order__isnull=True).exists():
            row.state, row.order_id, row.closed_at = state, owners[row.id], at
            row.save(update_fields=["state", "order_id", "closed_at"])
            drafts.append(anomaly_draft(anomaly=_anomaly(row), actor=actor, at=at, kind=ANOMALY_CLEARED))
    append_to_stream(drafts=drafts, at=at)
    return bookings


def _unknown_orders(reports: Iterable[Report], at: datetime) -> dict[tuple[str, str], UUID]:
    """Ids of the unknown orders the reports speak of, made where they are new."""
    keys = sorted({(report.session, name_of(report)) for report in reports})
    insert_rows(
        UnknownOrder,
        [(new_id(), session, name, "waiting", "", ZERO, ZERO, at) for session, name in keys],
        fields=("id", "session", "name", "state", "side", "booked_qty", "booked_cash", "raised_at"),
        on_conflict="DO NOTHING",
    )
    found = UnknownOrder.objects.filter(session__in={key[0] for key in keys}, name__in={key[1] for key in keys})
    return {(row.session, row.name): row.id for row in found}


def _book(unknown: UnknownOrder, actor: str, at: datetime) -> list[TradeBooking]:
    """Bring what lies in suspense for the unknown order to what its reports amount to now; its row is locked."""
    rows = UnmatchedReport.objects.filter(unknown=unknown, order__isnull=True).order_by("id")
    reports = [report_of(row.report) for row in rows]
    if unknown.closed_at is not None and reports:
        unknown.state, unknown.closed_at, unknown.order_id = UnknownOrder.State.WAITING, None, None
    _identify(unknown, reports)
    listing = unknown.listing
    effect = Effect(ZERO, ZERO)
    if listing is not None and unknown.side and unknown.account_id is not None:
        terms = Terms(Side(unknown.side), listing.price_divisor, listing.currency)
        effect = whole_effect(terms, executions_of(reports))
    change = effect - Effect(unknown.booked_qty, unknown.booked_cash)
    unknown.booked_qty, unknown.booked_cash = effect.qty, effect.cash
    if unknown.state == UnknownOrder.State.WAITING and effect != Effect(ZERO, ZERO):
        unknown.state = UnknownOrder.State.SUSPENSE
    unknown.save()
    if change == Effect(ZERO, ZERO) or listing is None or unknown.account_id is None:
        return []
    clock = get_market_clock(listing.market_id)
    day = max((dated_in(report, clock.zone).trade_date for report in reports), default=clock.local_date(at))
    event_id = _say(unknown, listing, change, actor, at)
    return [
        TradeBooking(
            account_id=unknown.account_id,
            order_id=unknown.id,
            execution_id=None,
            event_id=event_id,
            kind="suspense",
            side=Side(unknown.side),
            instrument_id=listing.instrument_id,
            currency=listing.currency,
            qty_delta=change.qty,
            cash_delta=change.cash,
            trade_date=day,
            settlement_date=clock.settlement_date(day),
        )
    ]


def _identify(unknown: UnknownOrder, reports: Sequence[Report]) -> None:
    """What is traded, and where it lies: by the venue's own names and only when they name one listing. Once told, kept."""
    if unknown.listing_id is None:
        for report in reports:
            named = find_listing_as_named(
                symbol=report.symbol, security_id=report.security_id, mic=report.market or report.last_mkt
            )
            if named is not None:
                unknown.listing = Listing.objects.get(id=named)
                break
    if not unknown.side:
        unknown.side = side_of(reports)
    if unknown.account_id is None:
        unknown.account_id = find_suspense_account(None)


def _say(unknown: UnknownOrder, listing: Listing, change: Effect, actor: str, at: datetime) -> UUID:
    event_id = new_id()
    draft = EventDraft(
        id=event_id,
        stream=f"unknown:{unknown.id}",
        kind="UnknownOrderBooked",
        actor=actor,
        correlation_id=unknown.id,
        event_at=at,
        received_at=at,
        business_date=at.date(),
        payload={
            "unknown_id": str(unknown.id),
            "session": unknown.session,
            "name": unknown.name,
            "account_id": str(unknown.account_id),
            "instrument_id": str(listing.instrument_id),
            "currency": listing.currency,
            "side": unknown.side,
            "booked_qty": plain(unknown.booked_qty),
            "booked_cash": plain(unknown.booked_cash),
            "qty_delta": plain(change.qty),
            "cash_delta": plain(change.cash),
        },
    )
    append_to_stream(drafts=[draft], at=at)
    return event_id


def _anomaly(unknown: UnknownOrder) -> Anomaly:
    qty: Decimal = abs(unknown.booked_qty)
    booked = f"{plain(qty)} units lie in suspense" if qty else "nothing was booked"
    return Anomaly(
        kind=UNKNOWN_ORDER,
        severity=Severity.HIGH,
        subject_type="venue_order",
        subject_id=unknown.name[:64],
        sentence=f"Session {unknown.session} reported on order {unknown.name}, which is none of ours; {booked}.",
        dedupe_key=f"unknown-order:{unknown.session}:{unknown.name}",
        evidence={"unknown_id": str(unknown.id), "session": unknown.session, "booked_qty": plain(unknown.booked_qty)},
    )
