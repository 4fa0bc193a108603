"""What the frame counts and warns of, and the short lists forms suggest from."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Min, Q, QuerySet
from django.utils import timezone

from authorisation.domain.principal import Principal
from authorisation.models import User
from authorisation.selectors import list_requests
from operations.domain.exception_states import OPEN
from operations.models import ExceptionItem, Notice
from operations.selectors.scopes import scope_names
from orders.permissions import visible_desks
from orders.selectors import visible_orders
from refdata.models import Listing
from risk.domain.conduct import FOR_COMPLIANCE_ALONE
from risk.domain.stops import KILL_SWITCH, is_openable
from risk.models import Block
from risk.permissions import SEE_RESTRICTIONS
from risk.selectors import TRADING_SWITCH, trading_is_on
from venues.models import FixSession


@dataclass(frozen=True, slots=True)
class Banner:
    """One warning under the header: ``bad`` ones stop orders."""

    sentence: str
    bad: bool = False
    href: str = ""


@dataclass(frozen=True, slots=True)
class Unseen:
    """How many notices the person has not seen, and since when the oldest waits."""

    count: int
    since: datetime | None
    at: datetime

    @property
    def age_s(self) -> float | None:
        """Seconds the oldest has waited."""
        return (self.at - self.since).total_seconds() if self.since else None


@dataclass(frozen=True, slots=True)
class FrameStatus:
    """Counts beside the page names, and at most two banners, worst first."""

    approvals: int
    exceptions: int
    critical: bool
    sessions_down: int
    stops: int
    banners: tuple[Banner, ...]
    unseen: Unseen


def _blocked(block: Block, at: datetime) -> Banner:
    """A block of the firm; of a gate of the start of day also for whom two people have opened it."""
    said = f"New orders are stopped for the whole firm: {block.reason}"
    if not is_openable(block.source):
        return Banner(said, bad=True)
    standing = block.waivers.filter(ended_at__isnull=True, until__gt=at)
    opened = list(standing.order_by("account_id").values_list("account_id", "until")[:100])
    if opened and not opened[0][0]:
        return Banner(
            f"{block.reason} Two people let every account trade until {opened[0][1]:%H:%M} UTC.", href="/sync/gates"
        )
    some = f" Two people let {len(opened)} accounts trade." if opened else ""
    return Banner(said + some, bad=True, href="/sync/gates")


def get_frame_status(*, actor: Principal, at: datetime) -> FrameStatus:
    """A few short statements over small or partially indexed sets."""
    approvals = len(list_requests(actor, "mine", at=at, limit=100))
    severities = list(visible_exceptions(actor).filter(state__in=OPEN).values_list("severity", flat=True)[:1000])
    sessions = list(FixSession.objects.filter(enabled=True).exclude(state=FixSession.State.LOGGED_ON).order_by("name"))
    standing = Block.objects.filter(lifted_at=None).exclude(source=TRADING_SWITCH).order_by("imposed_at", "id")
    blocks = standing.filter(scope="firm").exclude(source=KILL_SWITCH)[:2]
    stops = list(standing.filter(source=KILL_SWITCH)[:100])
    banners = [_stopped(stops)] if stops else []
    if not trading_is_on():
        banners.append(Banner("Trading is switched off: new orders and amends are refused.", bad=True))
    banners += [_blocked(block, at) for block in blocks]
    banners += [
        Banner(
            f"Session {session.name} is {session.get_state_display().lower()}. "
            f"Orders for it wait up to {session.wait_s} s, then are refused.",
            href="/venues",
        )
        for session in sessions
    ]
    return FrameStatus(
        approvals=approvals,
        exceptions=len(severities),
        critical=ExceptionItem.Severity.CRITICAL in severities or ExceptionItem.Severity.HIGH in severities,
        sessions_down=len(sessions),
        stops=len(stops),
        banners=tuple(banners[:2]),
        unseen=count_unseen(actor, at),
    )


def count_unseen(actor: Principal, at: datetime) -> Unseen:
    """One statement over a partial index."""
    rows = Notice.objects.filter(user_id=actor.user_id, seen_at=None).aggregate(
        count=Count("id"), since=Min("first_at")
    )
    return Unseen(rows["count"], rows["since"], at)


def _stopped(stops: list[Block]) -> Banner:
    """Who stopped what and since when, the oldest stop first; the others are counted."""
    first = stops[0]
    name = scope_names([(first.scope, first.scope_id)])[first.scope, first.scope_id]
    person = User.objects.filter(pk=first.imposed_by_user or 0).values_list("username", flat=True).first()
    since = timezone.localtime(first.imposed_at)
    more = f" And {len(stops) - 1} more." if len(stops) > 1 else ""
    sentence = f"Stopped: {name}, by {person or first.imposed_by} since {since:%H:%M:%S %Z}: {first.reason}.{more}"
    return Banner(sentence, bad=True, href="/risk")


def visible_exceptions(actor: Principal) -> QuerySet[ExceptionItem]:
    """Items of desks the actor sees, and those of no desk; what is about an order, only with the order; what is for
    compliance alone, only to compliance."""
    hidden = () if SEE_RESTRICTIONS in actor.rights else FOR_COMPLIANCE_ALONE
    return ExceptionItem.objects.exclude(kind__in=hidden).filter(
        Q(desk_id__in=visible_desks(actor)) | Q(desk=None),
        Q(order_id=None) | Q(order_id__in=visible_orders(actor).values("id")),
    )


def list_instruments() -> list[list[str]]:
    """``[symbol, name]`` of every listing of an active instrument, by symbol; at most 5,000."""
    rows = Listing.objects.filter(instrument__active=True).order_by("symbol").values_list("symbol", "instrument__name")
    return [list(row) for row in rows[:5000]]
