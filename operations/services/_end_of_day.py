"""The steps of the end of a day at one market. Each asks what is there already, so that doing it again changes nothing.

No order is ended here: the venue's own word, or the gateway's conclusion from the venue's list (``venues.services.infer_expiries``),
ends day orders. What is open after the venue had its time becomes a person's matter, never a guess.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from uuid import UUID

from accounts.services.close_day import close_day
from allocations.selectors.noted import list_unnoted
from allocations.services.issue_due_notes import issue_due_notes
from authorisation.domain.principal import process_principal
from journal.domain.records import Anomaly, Severity
from journal.models import Snapshot
from journal.selectors.processes import list_processes
from journal.services.seal_events import BEHIND_S, seal_events
from journal.services.set_anomaly import set_anomaly
from kernel.errors import Refused, Unavailable
from operations.domain.day_steps import END, PICTURE_PATIENCE, VENUE_PATIENCE, Outcome
from operations.models import DayRun
from operations.services._compare_files import compare
from orders.selectors.day_orders import OverOrder, count_carried_orders, find_open_of, list_over_orders
from orders.services.roll_days import roll_days
from reconciliation.models import Break, FeedFile, Run
from refdata.selectors import get_market_clock
from venues.domain.expiring import DAY_FORCES, GRACE, day_is_over, ends_at
from venues.services.infer_expiries import DAY_ORDER_NOT_OVER

ACTOR = process_principal("day").actor
MOST_SEALS = 1_000
NAMED = 50
MOST_NOTES = 100_000


def close(run: DayRun, at: datetime) -> Outcome:
    """Wait for the official close and its grace; round the clock, for midnight."""
    clock = get_market_clock(run.place)
    ended = ends_at(clock, run.day)
    figures = {"closed_at": ended.isoformat(), "over_at": (ended + GRACE).isoformat()}
    if not day_is_over(clock, run.day, at):
        return Outcome(
            False, f"{run.place} closes at {ended:%Y-%m-%d %H:%M} UTC, and has until {ended + GRACE:%H:%M}.", figures
        )
    return Outcome(True, f"{run.place} closed at {ended:%H:%M} UTC.", figures)


def expire(run: DayRun, at: datetime) -> Outcome:
    """Day orders, and dated ones whose day it was, are over by the venue's word, or somebody's matter."""
    settle_left_over(run, at=at)
    over = list_over_orders(mic=run.place, day=run.day, forces=DAY_FORCES)
    if not over:
        return Outcome(True, "No order of the day is open.", {"open": 0})
    until = ends_at(get_market_clock(run.place), run.day) + GRACE + VENUE_PATIENCE
    figures = {"open": len(over), "orders": [str(one.order_id) for one in over[:NAMED]]}
    if at < until:
        return Outcome(
            False, f"{len(over)} orders of the day are open; the venue has until {until:%H:%M} UTC.", figures
        )
    for one in over:
        set_anomaly(anomaly=_not_over(run, one), wrong=True, actor=ACTOR, at=at)
    return Outcome(True, f"{len(over)} orders of the day are open still: each is somebody's matter now.", figures)


def settle_left_over(run: DayRun, *, at: datetime) -> int:
    """What earlier ends of day left to people and is over by now is settled. Returns how many."""
    left: dict[UUID, str] = {}
    earlier = DayRun.objects.filter(kind=END, place=run.place, day__lt=run.day).order_by("-day")[:5]
    for steps in earlier.values_list("steps", flat=True):
        left |= {UUID(name): name for name in steps.get("expire", {}).get("figures", {}).get("orders", [])}
    ended = left.keys() - find_open_of(left.keys())
    settled = 0
    for order_id in sorted(ended):
        one = OverOrder(order_id, "The order", "", None, run.day)
        settled += set_anomaly(anomaly=_not_over(run, one, wrong=False), wrong=False, actor=ACTOR, at=at)
    return settled


def _not_over(run: DayRun, one: OverOrder, *, wrong: bool = True) -> Anomaly:
    said = "its venue has said nothing of it" if one.ord_status is None else "no expiry was told"
    sentence = (
        f"{one.ref}: its day, {one.trade_date}, ended on {run.place} and it is open still; {said}."
        if wrong
        else f"{one.ref} is over by now."
    )
    return Anomaly(
        kind=DAY_ORDER_NOT_OVER,
        severity=Severity.HIGH,
        subject_type="order",
        subject_id=str(one.order_id),
        sentence=sentence,
        dedupe_key=f"day-order:{one.order_id}",
        evidence={"market": run.place, "trade_date": one.trade_date.isoformat(), "state": one.request_state},
    )


def roll(run: DayRun, at: datetime) -> Outcome:
    """Good-till orders whose next day has come wake now; the others when it comes (the same service, as a sweeper)."""
    try:
        rolled = roll_days(at=at)
    except Unavailable as missing:
        if missing.context.get("mic") == run.place:
            raise
        rolled = 0  # another market's calendar ends: the sweeper says so, and this one's orders were looked at
    carried = count_carried_orders(mic=run.place, day=run.day, forces=DAY_FORCES)
    return Outcome(
        True, f"{carried} orders go on after the day; {rolled} woke.", {"carried": carried, "rolled": rolled}
    )


def positions(run: DayRun, at: datetime) -> Outcome:
    """What the day came to is written down in the books."""
    try:
        closing = close_day(market=run.place, day=run.day, actor=ACTOR, at=at)
    except Refused as refusal:
        return Outcome(True, refusal.sentence, {"code": refusal.code})
    figures = {"cash": closing.cash_rows, "stock": closing.stock_rows}
    return Outcome(
        True,
        f"{closing.cash_rows} cash and {closing.stock_rows} stock balances differ from the closing before.",
        figures,
    )


def notes(run: DayRun, at: datetime) -> Outcome:
    """Contract notes of accounts whose trades no open block can change; the others follow by themselves, before their deadline."""
    written = issue_due_notes(at=at)
    waiting = len(list_unnoted(since=run.day, most=MOST_NOTES, mic=run.place, day=run.day))
    figures = {"notes": written, "waiting": waiting}
    return Outcome(True, f"{written} contract notes were issued; {waiting} accounts wait for theirs.", figures)


def seal(run: DayRun, at: datetime) -> Outcome:
    """Every event so far is under a seal."""
    made, behind_s = 0, 0.0
    for _ in range(MOST_SEALS):
        one = seal_events(at=at, patience=timedelta(0))
        made, behind_s = made + one.sealed, one.behind_s
        if not one.sealed:
            break
    figures = {"seals": made, "behind_s": int(behind_s)}
    if behind_s > BEHIND_S:
        return Outcome(False, f"Events of {behind_s:.0f} seconds ago are under no seal.", figures)
    return Outcome(True, f"{made} seals were made; nothing older than {behind_s:.0f} seconds is without one.", figures)


def picture(run: DayRun, at: datetime) -> Outcome:
    """The process that keeps the picture has kept a snapshot since the close, so that the next start is short."""
    begun = run.steps.get("picture", {}).get("began_at")
    since = datetime.fromisoformat(run.steps["close"]["figures"]["closed_at"])
    last = (
        Snapshot.objects.filter(projection="picture").order_by("-taken_at").values_list("taken_at", "position").first()
    )
    if last is not None and last[0] >= since:
        return Outcome(True, f"A snapshot of {last[0]:%H:%M:%S} UTC is kept.", {"position": last[1]})
    if not any("picture" in process.name for process in list_processes()):
        return Outcome(True, "No process keeps the picture now; the next start reads on from the last snapshot.", {})
    if begun is not None and at - datetime.fromisoformat(begun) > PICTURE_PATIENCE:
        return Outcome(
            True, "The picture took no snapshot in time: it differs, or is behind; its own gate says so.", {}
        )
    return Outcome(False, "The picture's next snapshot is waited for.", {})


def report(run: DayRun, at: datetime) -> Outcome:
    """What the day leaves open, counted; the reports of its runs show the rows."""
    open_breaks = Break.objects.exclude(state="closed").filter(business_date__lte=run.day).count()
    figures = {
        "files": FeedFile.objects.filter(statement_date=run.day).count(),
        "runs": Run.objects.filter(as_of=run.day).count(),
        "open_breaks": open_breaks,
        "left_open": run.steps["expire"]["figures"].get("open", 0),
    }
    return Outcome(
        True, f"{figures['runs']} runs of reconciliation are about the day; {open_breaks} breaks are open.", figures
    )


WORK: Mapping[str, Callable[[DayRun, datetime], Outcome]] = {
    "close": close,
    "expire": expire,
    "roll": roll,
    "positions": positions,
    "notes": notes,
    "compare": compare,
    "seal": seal,
    "picture": picture,
    "report": report,
}
