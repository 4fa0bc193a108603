"""Rates, breakers and canaries as people see them: what is used of each mark now and lately, and what a change would do."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from authorisation.domain.four_eyes import RequestFacts
from authorisation.domain.principal import Principal
from authorisation.models import ApiKey, User
from journal.bulk import raw_cursor
from kernel.ids import first_id_of
from operations.domain.effect import Effect, EffectLine
from operations.selectors.scopes import find_scope, scope_names
from risk.domain.breakers import HALF_OPEN, OPEN, mark_of
from risk.domain.rates import (
    BREAKERS,
    POLICY,
    THROTTLES,
    Bucket,
    RateKind,
    RateMark,
    account_subject,
    mark_for,
    session_subject,
    source_kind,
)
from risk.models import Breaker
from risk.selectors.rates import get_bucket, rate_marks, read_ahead
from risk.services.decide_rate_change import mark_of_payload
from venues.models import FixSession

MINUTES = 15
MOST_SOURCES = 50
TAIL = 50_000
HEIGHT = 20
BAR = 7


@dataclass(frozen=True, slots=True)
class Bar:
    """One minute of a small picture, in its own units."""

    x: int
    y: int
    height: int


@dataclass(frozen=True, slots=True)
class RateLine:
    """One session or source: its bucket now, what waits, and its last minutes."""

    name: str
    bucket: Bucket
    minutes: tuple[int, ...]
    waiting: int = 0
    held_until: datetime | None = None

    @property
    def used(self) -> int:
        """Messages of the burst that are not free again yet."""
        return -(-self.bucket.ahead_us // self.bucket.mark.step_us)

    @property
    def bars(self) -> list[Bar]:
        """The last minutes, the highest as high as the picture."""
        top = max([*self.minutes, 1])
        heights = [-(-count * HEIGHT // top) for count in self.minutes]
        return [Bar(place * BAR, HEIGHT - height, height) for place, height in enumerate(heights)]

    @property
    def policy(self) -> str:
        return POLICY[self.bucket.mark.kind]


@dataclass(frozen=True, slots=True)
class BreakerLine:
    """One breaker with its mark; one that never opened has no row of its own and is closed."""

    breaker: Breaker
    mark: RateMark

    @property
    def family(self) -> str:
        return {OPEN: "refused", HALF_OPEN: "waiting"}.get(str(self.breaker.state), "done")

    @property
    def words(self) -> str:
        return str(self.breaker.state).replace("_", " ")

    @property
    def next_step(self) -> str:
        """What comes next, and by whom."""
        breaker = self.breaker
        if breaker.state == OPEN:
            return "asks the venue then"
        if breaker.state != HALF_OPEN:
            return ""
        if breaker.answered_at is not None:
            return f"{breaker.answer} A person may ask for its release under Stops."
        return f"asked for {breaker.probe_cl_ord_id}" if breaker.probed_at else "the question leaves next"


def list_breakers(*, at: datetime) -> list[BreakerLine]:
    """What watches every session, open ones first."""
    marks = rate_marks(read_ahead([])[0])
    rows = {(row.kind, row.subject): row for row in Breaker.objects.all()}
    sessions = FixSession.objects.order_by("name").values_list("name", flat=True)
    for name in sessions:
        for kind in BREAKERS:
            rows.setdefault(
                (kind.value, session_subject(name)), Breaker(kind=kind.value, subject=session_subject(name))
            )
    lines = [
        BreakerLine(row, mark_of(mark_for(marks, RateKind(kind), subject, at), subject))
        for (kind, subject), row in rows.items()
    ]
    worst = {OPEN: 0, HALF_OPEN: 1}
    return sorted(
        lines, key=lambda line: (worst.get(str(line.breaker.state), 2), line.breaker.subject, line.breaker.kind)
    )


_SENT = """
SELECT h.session, floor(extract(epoch FROM %s - h.handed_over_at) / 60)::int AS ago, count(*)
  FROM venues_handover h
 WHERE h.intent_id > (SELECT coalesce(max(id), 0) FROM venues_wireintent) - %s AND h.handed_over_at > %s
 GROUP BY 1, 2
"""
_WAITING = """
SELECT session_group, count(*) FROM venues_wireintent WHERE state = 'waiting' AND adds_risk GROUP BY 1
"""
_ASKED = """
SELECT r.maker, floor(extract(epoch FROM %s - r.captured_at) / 60)::int AS ago, count(*)
  FROM orders_orderrequest r
 WHERE r.id >= %s AND r.captured_at > %s AND r.kind <> 'cancel' GROUP BY 1, 2
"""


def list_session_rates(*, at: datetime) -> list[RateLine]:
    """Every session's rate: messages handed over a minute, and orders that wait in its group."""
    since = at - timedelta(minutes=MINUTES)
    with raw_cursor() as cursor:
        cursor.execute(_SENT, [at, TAIL, since])
        minutes = _by_minute(cursor.fetchall())
        cursor.execute(_WAITING)
        waiting = dict(cursor.fetchall())
    sessions = list(FixSession.objects.order_by("name").values_list("name", "group", "held_until"))
    version, ahead = read_ahead([session_subject(name) for name, _, _ in sessions])
    lines = []
    for name, group, held_until in sessions:
        subject = session_subject(name)
        mark = mark_for(rate_marks(version), RateKind.SESSION, subject, at)
        bucket = Bucket(subject, max(ahead.get(subject, 0), 0), mark)
        held = held_until if held_until is not None and held_until > at else None
        lines.append(RateLine(name, bucket, minutes.get(name, NOTHING), waiting.get(group, 0), held))
    return lines


def list_source_rates(*, at: datetime, only: str = "") -> list[RateLine]:
    """Who sent new orders and replaces lately, the busiest first; ``only`` one source."""
    since = at - timedelta(minutes=MINUTES)
    with raw_cursor() as cursor:
        cursor.execute(_ASKED, [at, first_id_of(since - timedelta(minutes=1)), since])
        minutes = _by_minute(row for row in cursor.fetchall() if not only or row[0] == only)
    busiest = sorted(minutes, key=lambda source: (-sum(minutes[source]), source))[:MOST_SOURCES]
    version, ahead = read_ahead(busiest)
    names = _names(busiest)
    return [
        RateLine(
            names.get(source, source),
            Bucket(
                source, max(ahead.get(source, 0), 0), mark_for(rate_marks(version), source_kind(source), source, at)
            ),
            minutes[source],
        )
        for source in busiest
    ]


NOTHING = (0,) * MINUTES


def _by_minute(rows: Iterable[Sequence[object]]) -> dict[str, tuple[int, ...]]:
    """(name, minutes ago, count) as one row of counts a name, oldest first."""
    found: dict[str, list[int]] = defaultdict(lambda: [0] * MINUTES)
    for name, ago, count in rows:
        place = MINUTES - 1 - min(max(int(str(ago)), 0), MINUTES - 1)
        found[str(name)][place] += int(str(count))
    return {name: tuple(counts) for name, counts in found.items()}


def find_subject(actor: Principal, kind: RateKind, typed: str) -> str:
    """The subject of a mark by the name people use: a user name, an account's code, a session; else as it was typed.

    Raises NotFound SCOPE_UNKNOWN for a user or account nobody has.
    """
    if not typed or ":" in typed:
        return typed
    if kind is RateKind.USER:
        return f"user:{find_scope(actor, 'dealer', typed)[1]}"
    if kind is RateKind.ACCOUNT:
        return account_subject(find_scope(actor, "account", typed)[1])
    return typed if kind is RateKind.KEY else session_subject(typed)


def subject_name(subject: str) -> str:
    """A mark's subject as people read it."""
    if subject.startswith("account:"):
        pair = ("account", subject.removeprefix("account:"))
        return scope_names([pair])[pair]
    return _names([subject]).get(subject, subject)


def _names(sources: Sequence[str]) -> Mapping[str, str]:
    """User names and names of keys."""
    users = {int(source[5:]) for source in sources if source.startswith("user:")}
    keys = {source[4:] for source in sources if source.startswith("key:")}
    found = {f"user:{pk}": name for pk, name in User.objects.filter(pk__in=users).values_list("pk", "username")}
    for key in ApiKey.objects.filter(pk__in=keys).select_related("user"):
        found[f"key:{key.pk}"] = f"{key.user.username}, key {key.prefix}"
    return found


def describe_rate_change(actor: Principal, facts: RequestFacts, at: datetime) -> Effect:
    """The mark of now against the one asked for, and who would be held at this moment under it."""
    mark = mark_of_payload(facts.payload)
    now = get_bucket(kind=mark.kind, subject=mark.subject, at=at)
    lines = [
        EffectLine("Mark", now.mark.words, mark.words),
        EffectLine("Kept for cancels, or share", f"{now.mark.share} %", f"{mark.share} %"),
        EffectLine("Pause before asking", f"{now.mark.pause_s:,} s", f"{mark.pause_s:,} s"),
    ]
    if mark.kind in THROTTLES and mark.subject:
        used = -(-now.ahead_us // now.mark.step_us)
        burst = (f"{used:,} of {now.mark.burst:,}", f"{used:,} of {mark.burst:,}")
        lines.append(EffectLine("Used of the burst", *burst, drifts=True))
    who = subject_name(mark.subject) or f"every {mark.kind.value} without a mark of its own"
    return Effect(
        headline=f"{mark.kind.value.capitalize()}, {who}: {mark.words}. {POLICY[mark.kind]}",
        button=mark.words,
        lines=tuple(lines),
    )
