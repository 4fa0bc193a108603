"""The query of the event stream: what is asked wrongly is told, parameter by parameter."""

from __future__ import annotations

import pytest

from kernel.errors import Invalid
from outbound.api.reading import EventQuery, read_query
from outbound.api.waiting import WaitingRoom


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"after": "17"}, "after"), ({"after": "v1.zz"}, "after"), ({"after": ""}, "after"), ({"limit": "0"}, "limit"),
        ({"limit": "501"}, "limit"), ({"limit": "²"}, "limit"), ({"limit": "9" * 5000}, "limit"), ({"wait": "6"}, "wait"),
        ({"wait": "-1"}, "wait"), ({"kinds": ""}, "kinds"), ({"kinds": "order,OrderRouted"}, "kinds"), ({"since": "1"}, "since"),
    ],
)  # fmt: skip
def test_what_is_asked_wrongly_is_told(query: dict[str, str], field: str) -> None:
    with pytest.raises(Invalid) as refused:
        read_query(query)
    assert list(refused.value.fields) == [field]


def test_what_is_asked_well_is_read() -> None:
    assert read_query({}) == EventQuery(0, 100, None, 0)
    stops = frozenset({"stop.engaged", "stop.released", "order.phoned"})
    assert read_query({"after": "v1.ff", "limit": "7", "wait": "5", "kinds": "stop, order.phoned"}) == EventQuery(
        255, 7, stops, 5
    )
    assert read_query({"after": "now"}).after is None


def test_few_may_wait_and_each_caller_once() -> None:
    room = WaitingRoom(seats=2)
    with room.seat("a") as first, room.seat("a") as again, room.seat("b") as second, room.seat("c") as third:
        assert (first, again, second, third) == (True, False, True, False)
    with room.seat("c") as now:
        assert now
