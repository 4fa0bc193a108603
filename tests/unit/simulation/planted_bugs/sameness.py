"""What is the same report, and which of two was said first."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import Any
from unittest.mock import patch

from orders.domain import applying, fold, walk
from orders.domain.changes import Folded
from orders.domain.facts import OrderFacts
from orders.domain.report import Position
from orders.domain.state import Fact
from tests.unit.simulation.planted_bugs.planting import bug
from venues.adapters import base


@bug
def deduplication_off() -> Iterator[None]:
    with patch.object(fold, "_find", lambda kept, identity: None):
        yield


@bug
def identity_is_the_exec_id_alone() -> Iterator[None]:
    def identity(rule: Any, *, epoch: str, values: Any, exec_type: Any, dialect_type: str) -> str:
        return f"{epoch}|{values.get(17, '')}"

    with patch.object(base, "identity_of", identity):
        yield


@bug
def resends_over_a_reset_are_counted() -> Iterator[None]:
    with (
        patch.object(walk, "without_resends", lambda kept: kept),
        patch.object(fold, "is_told_again", lambda *_: False),
    ):
        yield


@bug
def a_resend_over_a_reset_has_no_place() -> Iterator[None]:
    def only_left_out(kept: Any) -> list[Fact]:
        told: set[object] = set()
        first = []
        for fact in kept:
            if not (fact.resend and fact.said_before_as in told):
                first.append(fact)
            told.add(fact.said_before_as)
        return first

    with patch.object(walk, "without_resends", only_left_out):
        yield


@bug
def the_last_place_of_a_repetition_counts() -> Iterator[None]:
    real = fold.fold

    def late(known: OrderFacts, report: Any) -> Folded:
        others = tuple(f for f in known.facts if f.identity != report.identity)
        if report.poss_resend and len(others) < len(known.facts):
            known = OrderFacts(known.requests, others, walk.walk(known.requests, others))
        return real(known, report)

    with patch.object(applying, "fold", late):
        yield


@bug
def epochs_do_not_order() -> Iterator[None]:
    with patch.object(base, "Position", lambda epoch, seq: Position("", seq)):
        yield


@bug
def facts_are_read_in_order_of_arrival() -> Iterator[None]:
    arrivals = count(1)
    with patch.object(base, "Position", lambda epoch, seq: Position("", next(arrivals))):
        yield


@bug
def what_arrives_late_is_dropped() -> Iterator[None]:
    real = fold.fold

    def strict(known: OrderFacts, report: Any) -> Folded:
        place = (report.position.epoch, report.position.seq)
        if known.facts and place < known.facts[-1].place:
            return Folded(known, (), duplicate=True)
        return real(known, report)

    with patch.object(applying, "fold", strict):
        yield
