"""Whoever is kept from something stands in the security log once, and what they sent does not."""

from __future__ import annotations

import logging

import pytest

from tests.architecture.addresses import ADDRESSES, doors_of
from tests.factories.doors import Doors


@pytest.mark.parametrize(
    ("method", "path", "caller", "code", "level"),
    [
        ("GET", "/o/{d.order.ref}", "other", "ORDER_UNKNOWN", "INFO"),
        ("GET", "/api/v1/orders/{d.order.order_id}", "other", "ORDER_UNKNOWN", "INFO"),
        ("POST", "/risk/kill", "own", "RIGHT_MISSING", "WARNING"),
        ("GET", "/o/new", "auditor", "", "WARNING"),
        ("POST", "/api/v1/orders", "auditor", "", "WARNING"),
    ],
)
def test_a_refusal_is_one_line(
    doors: Doors, caplog: pytest.LogCaptureFixture, method: str, path: str, caller: str, code: str, level: str
) -> None:
    listed = [door for pattern in ADDRESSES for door in doors_of(pattern)]
    door = next(door for door in listed if (door.method, door.path) == (method, path))
    with caplog.at_level(logging.INFO, "oms.security"):
        answer = doors.call(method, door.path_for(doors), door.data(doors), caller=caller)
    assert answer.status_code == door.status_for(caller)
    (record,) = [one for one in caplog.records if one.name == "oms.security"]
    facts = vars(record)["facts"]
    assert (record.getMessage(), record.levelname) == ("ACCESS_REFUSED", level)
    assert (facts["user"], facts["path"]) == (doors.people[caller].actor, door.path_for(doors).split("?")[0])
    assert facts["refusal_code"] == code or not code
    assert set(facts) == {"user", "source", "method", "path", "refusal_code"}


def test_what_is_allowed_is_no_line(doors: Doors, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "oms.security"):
        doors.call("GET", f"/o/{doors.order.ref}", caller="own")
    assert [one for one in caplog.records if one.name == "oms.security"] == []
