"""Sweeper: warn before a cut-off passes with confirmations open, say after it who is late, and take it back when all are affirmed.

A matter is a market, counterparty and trade date. AFFIRM_SOON comes an hour before where much is at stake, a quarter of an hour before
anyway; AFFIRM_LATE from the hour on, naming whose word is missing; each late confirmation keeps that name (``late_party``),
so that the record of who was late outlives the affirmation.
"""

from __future__ import annotations

from collections import Counter
from datetime import datetime

from django.db import transaction

from allocations.domain.affirming_in_time import LATE, SOON, URGENT, Clock, countdown, phase, will_miss
from allocations.domain.terms import OURS, THEIRS, late_party
from allocations.models import Confirmation
from allocations.selectors.affirming import late_rows, list_clocks
from allocations.services._confirming import ACTOR
from journal.bulk import update_rows
from journal.domain.records import Anomaly, Severity
from journal.selectors.anomalies import raised_among
from journal.services.set_anomaly import set_anomaly
from kernel.numbers import plain

AFFIRM_SOON, AFFIRM_LATE = "AFFIRM_SOON", "AFFIRM_LATE"
MOST = 5000


def watch_cut_offs(*, at: datetime) -> int:
    """How many matters were raised or cleared."""
    with transaction.atomic():
        named = _name_late(at)
        matters = [one for clock in list_clocks(at=at) for one in _matters(clock, named.get(clock.key, Counter()), at)]
        stand = raised_among([anomaly.dedupe_key for anomaly, _ in matters])
        return sum(
            set_anomaly(anomaly=anomaly, wrong=wrong, actor=ACTOR.actor, at=at)
            for anomaly, wrong in matters
            if wrong != (anomaly.dedupe_key in stand)
        )


def _matters(clock: Clock, missing: Counter[str], at: datetime) -> list[tuple[Anomaly, bool]]:
    """Each matter of a clock, and whether it is one now: the nearer warning takes the place of the farther."""
    now = phase(clock, at)
    return [
        (_soon(clock, SOON, at), now == SOON),
        (_soon(clock, URGENT, at), now == URGENT),
        (_late(clock, missing), now == LATE),
    ]


def _name_late(at: datetime) -> dict[str, Counter[str]]:
    """Write on each late confirmation whose word was missing when its hour came; count by clock."""
    rows = late_rows(at=at).values_list(
        "id",
        "role",
        "state",
        "late_party",
        "counterparty",
        "allocation__trade_date",
        "allocation__block__listing__market_id",
    )
    counts: dict[str, Counter[str]] = {}
    named: list[tuple[object, str]] = []
    for pk, role, state, late, party, day, mic in rows[:MOST]:
        whose = late_party(role, state)
        counts.setdefault(f"{mic}:{party}:{day.isoformat()}", Counter())[whose] += 1
        if not late:
            named.append((pk, whose))
    update_rows(Confirmation, named, key=("id",), fields=("late_party",))
    return counts


def _soon(clock: Clock, level: str, at: datetime) -> Anomaly:
    value = "of a value that cannot be counted" if clock.value is None else f"worth about {plain(round(clock.value))}"
    return Anomaly(
        kind=AFFIRM_SOON,
        severity=Severity.HIGH if level == URGENT else Severity.MEDIUM,
        subject_type="counterparty",
        subject_id=clock.counterparty,
        sentence=(
            f"{clock.open} confirmations with {clock.counterparty} on {clock.mic}, {value}, are not affirmed and "
            f"{countdown(clock.affirm_by, at)} are left; at the present rate {will_miss(clock, at)} will miss it."
        ),
        dedupe_key=f"affirm-{level}:{clock.key}",
        evidence=_evidence(clock),
    )


def _late(clock: Clock, missing: Counter[str]) -> Anomaly:
    ours, theirs = missing.get(OURS, 0), missing.get(THEIRS, 0)
    return Anomaly(
        kind=AFFIRM_LATE,
        severity=Severity.HIGH,
        subject_type="counterparty",
        subject_id=clock.counterparty,
        sentence=(
            f"{clock.open} confirmations with {clock.counterparty} on {clock.mic} of {clock.trade_date} missed their cut-off: "
            f"our word is missing on {ours}, theirs on {theirs}."
        ),
        dedupe_key=f"affirm-late:{clock.key}",
        evidence=_evidence(clock) | {"ours": ours, "theirs": theirs},
    )


def _evidence(clock: Clock) -> dict[str, object]:
    return {
        "market": clock.mic, "counterparty": clock.counterparty, "trade_date": clock.trade_date, "open": clock.open,
        "affirm_by": clock.affirm_by.isoformat(), "value": None if clock.value is None else plain(clock.value),
    }  # fmt: skip
