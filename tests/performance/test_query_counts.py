"""What every page and endpoint costs in statements: the same for one order and for fifty, and as written down.

``query_counts.json`` is the baseline. After a wanted change: ``UPDATE_QUERY_COUNTS=1 pytest tests/performance``, then
look at the difference and commit it with its reason.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.db import connection

from operations.views import confirmations, notes
from tests.architecture.addresses import ADDRESSES, Door
from tests.factories import AT
from tests.factories.doors import Doors

BASELINE = Path(__file__).with_name("query_counts.json")
ONE, FIFTY = "1 order", "50 orders"
HOW_TO_UPDATE = "when wanted: UPDATE_QUERY_COUNTS=1 pytest tests/performance, and commit query_counts.json"
TRANSACTION_CONTROL = ("SAVEPOINT", "RELEASE SAVEPOINT", "ROLLBACK TO SAVEPOINT")
DOORS_TO_THE_DATABASE = (
    (psycopg.Cursor, "execute"),
    (psycopg.Cursor, "executemany"),
    (psycopg.Cursor, "copy"),
    (psycopg.ServerCursor, "execute"),
)

Counts = dict[str, dict[str, int]]


def measured_doors() -> dict[str, Door]:
    """Every listed door that can read tables, by method and pattern; redirects of the root read nothing."""
    return {
        f"{door.method} /{pattern}": door
        for pattern, doors in ADDRESSES.items()
        for door in doors
        if pattern and door.method != "HEAD"
    }


@contextmanager
def statements_sent() -> Iterator[list[str]]:
    """Everything sent through psycopg, by whatever cursor: Django's own count does not see our plain ones."""
    sent: list[str] = []

    def noting(method: Callable[..., Any]) -> Callable[..., Any]:
        def note(cursor: Any, query: Any, *given: Any, **options: Any) -> Any:
            sent.append(query.decode() if isinstance(query, bytes) else str(query))
            return method(cursor, query, *given, **options)

        return note

    with pytest.MonkeyPatch.context() as patch:
        for kind, name in DOORS_TO_THE_DATABASE:
            patch.setattr(kind, name, noting(getattr(kind, name)))
        yield sent


def statements(doors: Doors, door: Door) -> int:
    """Statements of one request, transaction control left out; asked once before, so that nothing is counted twice."""
    path = door.path_for(doors)
    doors.call(door.method, path, door.data(doors), caller=door.measured_as)
    data = door.data(doors)
    with statements_sent() as sent:
        answer = doors.call(door.method, path, data, caller=door.measured_as)
    assert answer.status_code == door.status_for(door.measured_as), (door, answer.status_code)
    return sum(not sql.startswith(TRANSACTION_CONTROL) for sql in sent)


def test_plain_cursors_are_counted(doors: Doors) -> None:
    with statements_sent() as sent, connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        psycopg.RawCursor(connection.connection).execute("SELECT 2")
    assert sent == ["SELECT 1", "SELECT 2"]


@pytest.mark.timeout(400)
def test_pages_and_endpoints_cost_what_is_written_down(doors: Doors, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (
        confirmations,
        notes,
    ):  # they look back some days only, and the trades are of a day that stands still
        monkeypatch.setattr(module, "utc_now", lambda: AT + timedelta(days=3))
    found: Counts = {name: {ONE: statements(doors, door)} for name, door in measured_doors().items()}
    doors.add(49)
    assert len(doors.orders) == 50
    for name, door in measured_doors().items():
        found[name][FIFTY] = statements(doors, door)
    if os.environ.get("UPDATE_QUERY_COUNTS"):
        BASELINE.write_text(json.dumps(found, indent=2) + "\n")
    growing = {name: counts for name, counts in found.items() if counts[ONE] != counts[FIFTY]}
    assert growing == {}, "a statement for every row"
    written: Counts = json.loads(BASELINE.read_text())
    differing = {name: (written.get(name), found.get(name)) for name in {*written, *found}}
    assert {name: pair for name, pair in differing.items() if pair[0] != pair[1]} == {}, HOW_TO_UPDATE
