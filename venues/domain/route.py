"""Which session group an order goes to, and why: pure, so that a decision can be explained and repeated.

Rules of version ``route/1``, in this order: a venue must be enabled, trade the market, take the order type and the
time in force, and have an enabled session. Among those left, sessions that are logged on come before those that are
not, then the venue's own rank. A venue whose sessions are all down is kept as a fallback: whether an order may wait
for it is decided at the wire (a market order may not).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kernel.fix import OrdType, TimeInForce

RULE_VERSION = "route/1"


@dataclass(frozen=True, slots=True)
class RouteQuestion:
    """What routing looks at of an order."""

    mic: str
    ord_type: OrdType
    time_in_force: TimeInForce


@dataclass(frozen=True, slots=True)
class VenueFacts:
    """One session group of a venue now. ``refusal`` is the adapter's reason for not taking this order, or empty."""

    session_group: str
    venue: str
    rank: int
    enabled: bool
    mics: frozenset[str]
    session_enabled: bool
    logged_on: bool
    refusal: str = ""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A session group that was looked at; ``taken`` at most once."""

    session_group: str
    venue: str
    eligible: bool
    taken: bool
    reason: str


@dataclass(frozen=True, slots=True)
class Route:
    """``session_group`` is empty when nothing fits. Candidates in the order of preference, then the ones ruled out."""

    session_group: str
    candidates: tuple[Candidate, ...]
    rule_version: str = RULE_VERSION

    @property
    def fallbacks(self) -> tuple[str, ...]:
        """Eligible groups after the one taken, best first."""
        return tuple(c.session_group for c in self.candidates if c.eligible and not c.taken)


def _ruled_out(question: RouteQuestion, facts: VenueFacts) -> str:
    if not facts.enabled:
        return "venue is disabled"
    if question.mic not in facts.mics:
        return f"does not trade on {question.mic}"
    if facts.refusal:
        return facts.refusal
    if not facts.session_enabled:
        return "new orders are switched off on its sessions"
    return ""


def route(question: RouteQuestion, venues: Sequence[VenueFacts]) -> Route:
    """The decision with every candidate and the reason it was taken or passed over."""
    judged = [(facts, _ruled_out(question, facts)) for facts in venues]
    fit = sorted(
        (facts for facts, reason in judged if not reason),
        key=lambda facts: (not facts.logged_on, facts.rank, facts.session_group),
    )
    candidates = []
    for number, facts in enumerate(fit):
        state = "logged on" if facts.logged_on else "session down, fallback"
        reason = f"first of {len(fit)} by state and rank: {state}" if number == 0 else f"fallback {number}: {state}"
        candidates.append(Candidate(facts.session_group, facts.venue, True, number == 0, reason))
    candidates += [
        Candidate(facts.session_group, facts.venue, False, False, reason) for facts, reason in judged if reason
    ]
    return Route(fit[0].session_group if fit else "", tuple(candidates))
