"""``audit_search``: what happened to an identifier, and what somebody did in a span of time, over a journal of many events.

Data: ten orders traded through every door, copied over a hundred accounts; for the spans, the times of the events are then
spread over a month (which breaks their chains, so the proofs are looked at before). Floor: the row of one order by its
reference. Verified: each identifier leads to its order, whose chain is recomputed and holds; each page holds exactly the
events that a plain filter over the same table finds.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from datetime import timedelta
from random import Random
from statistics import median
from typing import Any

from django.db import connection

from authorisation.domain.principal import Principal
from benchmarks.used_books import Copier, trade_templates
from operations.domain.audit_query import AuditFilter, names_in
from operations.selectors.audit.dossier import get_dossier
from operations.selectors.audit.names import find_subjects
from operations.selectors.audit.search import find_audit_page
from operations.selectors.audit.timeline import make_timeline
from orders.models import Order, OrderRequest
from tests.factories import make_principal

SMALL, FULL = 1_500, 20_000
TIMES = 60
SPREAD_S = 30 * 86_400


def main(full: bool) -> dict[str, Any]:
    """Milliseconds (median and 95th of a hundred) of each search; ``ratio`` is the floor's 95th over that of an identifier."""
    count = FULL if full else SMALL
    desk, orders = trade_templates()
    Copier(desk, orders).copy(count)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    events = _rows("SELECT count(*) FROM journal_event")[0][0]
    print(f"{events:,} events", file=sys.stderr)
    auditor = make_principal(
        "auditor",
        role="auditor",
        rights=("search_audit",),
        desks=(desk.world.desk,),
        groups=(desk.world.group,),
        trades=False,
    )
    chance = Random(1)
    refs = chance.sample(list(Order.objects.values_list("ref", flat=True)[:50_000]), TIMES)
    floor = _timed([lambda ref=ref: Order.objects.get(ref=ref) for ref in refs])  # type: ignore[misc]
    figures = {"id": _timed(_by_identifier(auditor, chance))}
    _spread()
    figures |= {name: _timed(ask) for name, ask in _by_time(auditor, desk.world.dealer, chance).items()}
    said = {"n": events, "ratio": round(floor[1] / figures["id"][1], 4), "floor_p95_ms": round(floor[1], 2)}
    for name, (half, most) in figures.items():
        said |= {f"{name}_p50_ms": round(half, 2), f"{name}_p95_ms": round(most, 2)}
    return said


def _timed(asks: list[Callable[[], Any]]) -> tuple[float, float]:
    """Median and 95th in milliseconds, the first few left out."""
    took = []
    for ask in asks:
        began = time.perf_counter()
        ask()
        took.append(1000 * (time.perf_counter() - began))
    took = sorted(took[3:])
    return median(took), took[int(len(took) * 0.95)]


def _rows(sql: str, *values: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return list(cursor.fetchall())


def _by_identifier(auditor: Principal, chance: Random) -> list[Callable[[], Any]]:
    """Reference, id and a pasted line with a ClOrdID, each to the order's whole timeline; copies share their ExecIDs."""
    requests = list(OrderRequest.objects.values_list("cl_ord_id", "order__ref")[:20_000])
    names = [
        *((ref, ref) for ref in Order.objects.values_list("ref", flat=True)[:20_000]),
        *((f"35=8|11={cl_ord_id}|17=none|", ref) for cl_ord_id, ref in requests),
        *((str(pk), ref) for pk, ref in Order.objects.values_list("pk", "ref")[:20_000]),
    ]

    def ask(text: str, ref: str) -> Callable[[], Any]:
        def search() -> None:
            subjects = find_subjects(auditor, names_in(text))
            assert any(one.key == ref for one in subjects), (text, ref)
            timeline = make_timeline(get_dossier(auditor, "order", ref))
            assert timeline.proof.holds
            assert timeline.event_count > 3

        return search

    return [ask(*chance.choice(names)) for _ in range(TIMES)]


def _spread() -> None:
    """Events recorded over a month in the order of their positions."""
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE journal_event DISABLE TRIGGER USER")
        cursor.execute(
            "UPDATE journal_event SET recorded_at = to_timestamp(1767225600) + interval '1 second' * (position * %s / "
            "(SELECT max(position) FROM journal_event))",
            [SPREAD_S],
        )
        cursor.execute("ANALYZE journal_event")


def _by_time(auditor: Principal, dealer: Principal, chance: Random) -> dict[str, list[Callable[[], Any]]]:
    """A person in an hour, anything outside orders in a day, and orders in an hour."""
    begin = _rows("SELECT min(recorded_at) FROM journal_event")[0][0]

    def ask(span: timedelta, families: tuple[str, ...], *, actor: str = "", kind: str = "") -> Callable[[], Any]:
        since = begin + timedelta(seconds=chance.randrange(SPREAD_S - int(span.total_seconds())))
        until = since + span
        actors = (dealer.actor,) if actor else ()

        def search() -> None:
            page = find_audit_page(
                auditor,
                AuditFilter(since=since, until=until, actor=actor, kind=kind),
                actors=actors,
                at=until,
                midnight=since,
                zone="UTC",
            )
            if len(checked) < 5:
                checked.append(1)
                assert [one.event.position for one in page.entries if one.event] == _plainly(
                    since, until, actors, families
                )

        return search

    checked: list[int] = []
    hour, day = timedelta(hours=1), timedelta(days=1)
    return {
        "actor_and_time": [ask(hour, (), actor=dealer.username) for _ in range(TIMES)],
        "kind_and_time": [ask(day, ("account", "fees"), kind="money") for _ in range(TIMES)],
        "orders_and_time": [ask(hour, ("order", "unknown"), kind="order") for _ in range(TIMES)],
    }


def _plainly(since: Any, until: Any, actors: tuple[str, ...], families: tuple[str, ...]) -> list[int]:
    rows = _rows(
        "SELECT position FROM journal_event WHERE recorded_at >= %s AND recorded_at < %s AND (%s OR actor = ANY(%s)) "
        "AND (%s OR split_part(stream, ':', 1) = ANY(%s)) ORDER BY position DESC LIMIT 50",
        since, until, not actors, list(actors), not families, list(families),
    )  # fmt: skip
    return [row[0] for row in rows]
