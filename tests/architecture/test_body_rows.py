"""A field that names a row of somebody else answers as one that names nothing: same status, same words, same writes.

Every field of a page's form, an API body, or a query by which a row can be named is here once, and is asked as somebody of
another desk and as somebody of the same desk to whom the account group was not granted.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import uuid4

import pytest

from kernel.ids import new_id
from tests.architecture.addresses.bodies import new_limit, new_rate, order_body, ticket
from tests.architecture.test_hidden_rows import NOISE
from tests.factories.approvals import shown_to
from tests.factories.doors import Doors
from tests.factories.writes import writes

HARMLESS = {"authorisation_session", "authorisation_keyuse", "authorisation_apikey", "authorisation_accessuse"}
"""What a call may leave that came to nothing: that it was made."""


ECHO = re.compile(r"(There is no \w+ |\"id\":\")[\w.-]+")
"""Where an answer repeats what was typed."""


@dataclass(frozen=True)
class Field:
    """A field that names a row: how a call is made that names it so, what names the row, and what names nothing."""

    what: str
    call: Callable[[Doors, str], tuple[str, str, dict[str, Any]]]
    hidden: Callable[[Doors], str]
    unknown: str
    callers: tuple[str, ...] = ("other", "neighbour")


def account(d: Doors) -> str:
    return d.own.account.code


def _shown(d: Doors) -> str:
    return shown_to(d.people["compliance"], d.approvals[0])


NAMELESS, NO_ID = "NOBODY-1", str(uuid4())
HEADS = ("far_head", "far_checker")
ORDERS = [
    Field("ticket account", lambda d, v: ("POST", "/ticket/send", ticket(d) | {"account": v}), account, NAMELESS),
    Field("preview account", lambda d, v: ("POST", "/ticket/preview", ticket(d) | {"account": v}), account, NAMELESS),
    Field("order account", lambda d, v: ("POST", "/api/v1/orders", order_body(d, account=v)), account, NAMELESS),
    Field(
        "dry run account",
        lambda d, v: ("POST", "/api/v1/orders?dry_run=true", order_body(d, account=v)),
        account,
        NAMELESS,
    ),
    Field(
        "batch account",
        lambda d, v: ("POST", "/api/v1/orders/batch", {"orders": [order_body(d, account=v)]}),
        account,
        NAMELESS,
    ),
    Field("orders listed by account", lambda d, v: ("GET", f"/api/v1/orders?account={v}", {}), account, NAMELESS),
    Field("orders after one", lambda d, v: ("GET", f"/api/v1/orders?cursor={v}", {}), lambda d: str(new_id()), NO_ID),
    Field("canceled", lambda d, v: ("POST", "/o/cancel", _cancel(v)), lambda d: d.order.ref, NAMELESS),
    Field("to cancel", lambda d, v: ("GET", "/o/cancel", {"refs": v}), lambda d: d.order.ref, NAMELESS),
    Field("searched", lambda d, v: ("GET", "/search", {"q": v}), lambda d: d.order.ref, NAMELESS),
    Field("searched account", lambda d, v: ("GET", "/search", {"q": v}), account, NAMELESS),
    Field("positions looked for", lambda d, v: ("GET", "/positions", {"q": v}), account, NAMELESS),
]
APPROVALS = [
    Field("shown beside", lambda d, v: ("GET", "/approvals", {"id": v}), lambda d: str(d.approvals[0]), NO_ID, HEADS),
    Field(
        "approved together",
        lambda d, v: ("POST", "/approvals/together", _together(d, v)),
        lambda d: str(d.approvals[0]),
        NO_ID,
        HEADS,
    ),
    Field(
        "asked about together",
        lambda d, v: ("GET", f"/approvals/together?ids={v}", {}),
        lambda d: str(d.approvals[0]),
        NO_ID,
        HEADS,
    ),
    Field(
        "approved together by API",
        lambda d, v: ("POST", "/api/v1/approvals/together", _together_by_api(d, v)),
        lambda d: str(d.approvals[0]),
        NO_ID,
        HEADS,
    ),
]


def _cancel(refs: str) -> dict[str, Any]:
    return {"key": str(new_id()), "refs": refs, "reason": "OTHER"}


def _together(d: Doors, approval: str) -> dict[str, Any]:
    return {
        "kind": "order_request",
        "item": f"{approval}:{d.payload_hash}:{_shown(d)}",
        "count": "1",
        "request_id": str(new_id()),
    }


def _together_by_api(d: Doors, approval: str) -> dict[str, Any]:
    return {
        "kind": "order_request",
        "items": [{"id": approval, "payload_hash": d.payload_hash, "shown": _shown(d)}],
    }


SCOPES: dict[str, tuple[Callable[[Doors], str], str, tuple[str, ...]]] = {
    "desk": (lambda d: d.own.desk.code, "ZZ9", ("far_head",)),
    "desk by id": (lambda d: str(d.own.desk.pk), "9", ("far_head",)),
    "dealer": (lambda d: d.own.dealer.username, "nobody", ("far_head",)),
    "dealer by id": (lambda d: str(d.own.dealer.user_id), "987654", ("far_head",)),
    "client": (lambda d: d.own.account.client.code, "NOBODY-1", HEADS),
    "client by id": (lambda d: str(d.own.account.client_id), NO_ID, HEADS),
    "account": (account, "NOBODY-1", HEADS),
    "account by id": (lambda d: str(d.own.account.pk), NO_ID, HEADS),
}
DOORS_OF_SCOPES: dict[str, Callable[[Doors, str, str], tuple[str, str, dict[str, Any]]]] = {
    "reach": lambda d, s, v: ("GET", "/risk/kill/reach", {"scope": s, "name": v}),
    "kill": lambda d, s, v: ("POST", "/risk/kill", {"scope": s, "name": v, "typed": v, "reason": "test"}),
    "stop by API": lambda d, s, v: ("POST", "/api/v1/stops", {"scopes": [{"scope": s, "id": v}], "reason": "test"}),
    "limit looked at": lambda d, s, v: ("GET", "/risk/limits/new", {"scope": s, "name": v}),
    "limit previewed": lambda d, s, v: ("POST", "/risk/limits/preview", new_limit(d) | {"scope": s, "name": v}),
    "limit asked for": lambda d, s, v: ("POST", "/risk/limits/ask", new_limit(d) | {"scope": s, "name": v}),
    "limit tried": lambda d, s, v: ("POST", "/risk/limits/try", new_limit(d) | {"scope": s, "name": v, "days": "7"}),
    "rate asked for": lambda d, s, v: ("POST", "/risk/rates/ask", new_rate(d) | {"kind": s, "subject": v, "name": v}),
}


@pytest.mark.parametrize(
    ("field", "caller"),
    [
        pytest.param(field, caller, id=f"{field.what}-{caller}")
        for field in (*ORDERS, *APPROVALS)
        for caller in field.callers
    ],
)
def test_a_field_that_names_a_hidden_row(doors: Doors, field: Field, caller: str) -> None:
    assert_alike(doors, caller, lambda value: field.call(doors, value), field.hidden(doors), field.unknown)


@pytest.mark.parametrize(
    ("door", "scope", "caller"),
    [
        (door, scope, caller)
        for door in DOORS_OF_SCOPES
        for scope, (_, _, callers) in SCOPES.items()
        for caller in callers
    ],
)
def test_a_scope_that_is_not_seen(doors: Doors, door: str, scope: str, caller: str) -> None:
    hidden, unknown, _ = SCOPES[scope]
    kind = scope.split()[0]
    assert_alike(doors, caller, lambda value: DOORS_OF_SCOPES[door](doors, kind, value), hidden(doors), unknown)


def note(after: list[Counter[str]]) -> None:
    """Keep what was written so far."""
    after.append(writes())


def assert_alike(
    doors: Doors, caller: str, call: Callable[[str], tuple[str, str, dict[str, Any]]], hidden: str, unknown: str
) -> None:
    answers = []
    for value in (hidden, unknown):
        method, path, data = call(value)
        before = writes()
        after: list[Counter[str]] = []
        answer = doors.call(method, path, data, caller=caller, before_undo=partial(note, after))
        words = ECHO.sub(r"\1…", answer.content.decode())
        if len(value) > 3:  # a number of a few digits is everywhere in a page
            words = re.sub(re.escape(value), "…", words, flags=re.IGNORECASE)
        answers.append((answer.status_code, NOISE.sub("…", words)))
        assert set(after[0] - before) <= HARMLESS
    assert answers[0] == answers[1]
