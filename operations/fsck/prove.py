"""Carry checks out on one snapshot and say of each whether it holds.

A check that cannot be carried out does not hold: what it meets is often the very damage it looks for (an order whose
facts cannot be read any more), and a proof with a hole is none.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence

import psycopg
from django.db import Error as DjangoError

from operations.fsck.check import Check, Found, Outcome
from operations.fsck.snapshot import Snapshot

EXAMPLES = 5
NO_NEWS: Callable[[Outcome], None] = lambda outcome: None  # noqa: E731


def prove(
    snapshot: Snapshot,
    checks: Iterable[Check],
    *,
    examples: int = EXAMPLES,
    within_s: float | None = None,
    told: Callable[[Outcome], None] = NO_NEWS,
) -> tuple[Outcome, ...]:
    """The outcome of every check in order; ``told`` hears each as it is known, for whoever waits in front of a screen.

    With ``within_s`` those that do not end in time have no outcome: what is missing at the end is not proven.
    """
    outcomes: list[Outcome] = []
    ends = None if within_s is None else time.perf_counter() + within_s
    for check in checks:
        left_s = None if ends is None else ends - time.perf_counter()
        outcome = None if left_s is not None and left_s <= 0 else prove_one(snapshot, check, examples, left_s)
        if outcome is None:
            break
        told(outcome)
        outcomes.append(outcome)
    return tuple(outcomes)


def prove_one(
    snapshot: Snapshot, check: Check, examples: int = EXAMPLES, left_s: float | None = None
) -> Outcome | None:
    """One check in a savepoint, so that one that fails leaves the snapshot to the others; None when it ran out of time."""
    started, carried_out = time.perf_counter(), True
    try:
        with snapshot.connection.transaction():
            if left_s is not None:
                snapshot.rows("SELECT set_config('statement_timeout', %s, true)", [str(max(int(left_s * 1000), 1))])
            found, some = (
                _asked(snapshot, check, examples) if check.sql else _looked(_findings(snapshot, check), examples)
            )
    except psycopg.errors.QueryCanceled:
        if left_s is None:
            raise
        return None
    except (psycopg.Error, DjangoError, ArithmeticError, LookupError, TypeError, ValueError) as problem:
        reason = " ".join(str(problem).split())[:300]
        carried_out = False
        found, some = 1, [Found("the check itself", f"could not be carried out: {type(problem).__name__}: {reason}")]
    named = tuple(f"{one.subject}: {one.what}" for one in some)
    return Outcome(check, found, named, time.perf_counter() - started, carried_out)


def _asked(snapshot: Snapshot, check: Check, examples: int) -> tuple[int, list[Found]]:
    """A check in SQL: the statement gives findings only, so its rows are counted and the first few kept."""
    rows = snapshot.rows(
        f"SELECT count(*) OVER (), subject::text, what::text FROM ({check.sql}) AS found "
        f"ORDER BY subject, what LIMIT {examples}"
    )
    return (int(rows[0][0]) if rows else 0), [Found(subject, what) for _, subject, what in rows]


def _findings(snapshot: Snapshot, check: Check) -> Iterator[Found]:
    if check.look is None:
        raise LookupError(f"{check.code} has neither a statement nor a function")
    yield from check.look(snapshot)


def _looked(findings: Iterable[Found], examples: int) -> tuple[int, list[Found]]:
    found = 0
    some: list[Found] = []
    for one in findings:
        found += 1
        if len(some) < examples:
            some.append(one)
    return found, some


def failing(outcomes: Sequence[Outcome]) -> tuple[Outcome, ...]:
    """Those that do not hold."""
    return tuple(outcome for outcome in outcomes if not outcome.holds)


def stopping(outcomes: Sequence[Outcome]) -> tuple[Outcome, ...]:
    """Those for which the whole firm must not take new risk."""
    return tuple(outcome for outcome in outcomes if outcome.stops_firm)
