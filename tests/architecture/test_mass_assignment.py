"""A field nobody offers is refused by the API, by name, and nothing is written: whatever a model's columns are called."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest
from django.apps import apps
from django.urls import get_resolver

from orders.api.serializers import StrictSerializer
from tests.architecture.addresses import ADDRESSES, Door
from tests.architecture.test_body_rows import HARMLESS, note
from tests.factories.doors import CALLERS, Doors
from tests.factories.writes import writes

SUSPECTS = {
    *("state", "owner_id", "desk_id", "group_id", "is_superuser", "is_staff", "is_active", "maker_id", "checker_id"),
    *("approved", "version", "id", "pk", "cum_qty", "leaves_qty", "avg_px", "user_id", "role", "groups", "rights"),
    *("authorisation_id", "request_id", "order_id", "account_id", "on_behalf_of", "actor", "created_at", "__class__"),
}
ROOMS = (
    "authorisation",
    "journal",
    "refdata",
    "accounts",
    "risk",
    "orders",
    "venues",
    "allocations",
    "outbound",
    "reconciliation",
    "operations",
)
NAMES = SUSPECTS | {
    name
    for model in apps.get_models()
    if model._meta.app_label in ROOMS
    for field in model._meta.concrete_fields
    for name in (field.name, field.attname)
}
RAW = ("/api/v1/feed-files", "/api/v1/settlement-files")
"""Their body is a file: no object, and so no field to name."""
POSTS = [
    door
    for doors in ADDRESSES.values()
    for door in doors
    if door.path.startswith("/api/") and door.method == "POST" and not door.path.startswith(RAW)
]
SAID = "This field is not known."


def bodies(data: Any) -> Iterator[dict[str, Any]]:
    """Every object of a body, the outermost first."""
    if isinstance(data, dict):
        yield data
        for value in data.values():
            yield from bodies(value)
    elif isinstance(data, list):
        for value in data[:1]:
            yield from bodies(value)


def offered(kind: type[StrictSerializer] = StrictSerializer) -> set[str]:
    """Every field that some body of the API has: of all its bodies, whatever was asked before."""
    get_resolver().url_patterns  # noqa: B018 - what names the addresses brings the bodies
    return set(kind().fields) | {name for below in kind.__subclasses__() for name in offered(below)}


@pytest.mark.parametrize("door", POSTS, ids=lambda door: door.path)
def test_the_api_names_every_field_it_does_not_know(doors: Doors, door: Door) -> None:
    caller = next((one for one in CALLERS if door.status_for(one) in (200, 201)), "own")
    for number in range(len(list(bodies(door.data(doors))))):
        data = json.loads(json.dumps(door.data(doors)))
        target = list(bodies(data))[number]
        unknown = NAMES - offered() - set(target)
        target.update(dict.fromkeys(unknown, "1"))
        before, after = writes(), list[Counter[str]]()
        look = partial(note, after)
        answer = doors.call("POST", door.path_for(doors), data, caller=caller, before_undo=look)
        told = answer.content.decode()
        assert {name for name in unknown if f'{name}":["{SAID}' not in told} == set()
        assert set(after[0] - before) <= HARMLESS
