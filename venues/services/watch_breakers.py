"""Sweeper: open the circuit breakers whose marks were passed, and try those that are open. It never closes one: a person does.

A session's breaker blocks the markets of its venue; where a venue has several sessions it has a breaker of its own too,
and contradictions are also counted for the firm. A breaker counts only what happened since it last moved, so the facts that
opened it do not keep it open.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from risk.domain.breakers import ANSWER_WITHIN, CLOSED, FIRM, HALF_OPEN, OPEN, Seen, cause_of, mark_of, pause_after
from risk.domain.rates import BREAKERS, RateKind, RateMark, mark_for, session_subject
from risk.models import Breaker, Scope
from risk.selectors.rates import read_marks
from risk.services.probe_breaker import probe_breaker
from risk.services.trip_breaker import trip_breaker
from venues.models import FixSession, Venue
from venues.selectors.health import answered_since, seen_on_sessions

LONGEST_WINDOW = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Watched:
    """One subject: the sessions whose facts count for it, and the scopes its breakers block."""

    subject: str
    sessions: tuple[str, ...]
    scopes: tuple[tuple[str, str], ...]


def watch_breakers(*, at: datetime) -> int:
    """How many breakers moved."""
    marks = read_marks()
    breakers = {(row.kind, row.subject): row for row in Breaker.objects.all()}
    seen = seen_on_sessions(since=at - _window(marks, at), at=at)
    moved = 0
    for watched in list_watched():
        facts = [one for session in watched.sessions for one in seen.get(session, ())]
        for kind in BREAKERS:
            if watched.subject == FIRM and kind is not RateKind.INCONSISTENT:
                continue
            breaker = breakers.get((kind.value, watched.subject))
            if breaker is None and not facts:
                continue
            mark = mark_of(mark_for(marks, kind, watched.subject, at), watched.subject)
            moved += _look(watched, kind, mark, breaker, facts, at)
    return moved


def list_watched() -> list[Watched]:
    """Every session, every venue with several, and the firm."""
    venues: dict[str, list[str]] = {}
    for name, venue in FixSession.objects.order_by("name").values_list("name", "venue_id"):
        venues.setdefault(venue, []).append(name)
    markets: dict[str, list[tuple[str, str]]] = {}
    for code, mic in Venue.objects.order_by("code", "markets").values_list("code", "markets"):
        if mic is not None:
            markets.setdefault(code, []).append((Scope.VENUE.value, mic))
    found = []
    for venue, names in venues.items():
        scopes = tuple(markets.get(venue, ()))
        found += [Watched(session_subject(name), (name,), scopes) for name in names]
        if len(names) > 1:
            found.append(Watched(f"venue:{venue}", tuple(names), scopes))
    everything = tuple(name for names in venues.values() for name in names)
    return [*found, Watched(FIRM, everything, ((Scope.FIRM.value, ""),))]


def _window(marks: Sequence[RateMark], at: datetime) -> timedelta:
    longest = max([mark_for((), kind, "", at).seconds for kind in BREAKERS] + [mark.seconds for mark in marks])
    return min(timedelta(seconds=longest), LONGEST_WINDOW)


def _look(
    watched: Watched, kind: RateKind, mark: RateMark, breaker: Breaker | None, facts: Sequence[Seen], at: datetime
) -> bool:
    since = at - timedelta(seconds=mark.seconds)
    if breaker is not None and breaker.moved_at is not None:
        since = max(since, breaker.moved_at)
    cause = cause_of(kind, facts, mark, since=since)
    state = breaker.state if breaker is not None else CLOSED
    if state == OPEN:
        assert breaker is not None
        due = breaker.next_try_at is not None and at >= breaker.next_try_at
        return due and not cause and probe_breaker(kind=kind.value, subject=watched.subject, at=at)
    if state == HALF_OPEN and not cause:
        assert breaker is not None
        cause = _unanswered(breaker, watched, at)
    if not cause:
        return False
    pause = pause_after((breaker.openings if breaker is not None else 0) + 1, mark)
    return trip_breaker(
        kind=kind.value, subject=watched.subject, scopes=watched.scopes, cause=cause, pause=pause, at=at
    )


def _unanswered(breaker: Breaker, watched: Watched, at: datetime) -> str:
    """Notes the answer when it came; why it opens again when it did not come in time."""
    if breaker.answered_at is not None:
        return ""
    asked_at = breaker.probed_at
    if asked_at is None:
        waited = breaker.moved_at is not None and at - breaker.moved_at > ANSWER_WITHIN
        return "The question could not be asked: no session to the venue." if waited else ""
    if any(
        answered_since(session=name, cl_ord_id=breaker.probe_cl_ord_id, since=asked_at) for name in watched.sessions
    ):
        answer = f"The venue answered for {breaker.probe_cl_ord_id}."
        probe_breaker(kind=breaker.kind, subject=breaker.subject, at=at, answer=answer)
        return ""
    late = at - asked_at > ANSWER_WITHIN
    return f"The question about {breaker.probe_cl_ord_id} was not answered." if late else ""
