"""Exports of lists: the filter of the page, nobody else's rows, and on record before anything leaves."""

from __future__ import annotations

import csv
import io
import json
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from journal.models import Event
from kernel.clock import utc_now
from kernel.ids import new_id
from operations.exporting import FORMS
from operations.models import ExceptionItem
from operations.services import record_read as recording
from tests.factories import DeskWorld, make_desk, set_price
from tests.integration.operations.test_pages import capture, client_of

pytestmark = pytest.mark.django_db
PATHS = (
    "/desk/export?view=all",
    "/exceptions/export?view=all",
    "/approvals/export?view=raised",
    "/positions/export?q=",
)


@pytest.fixture
def world() -> DeskWorld:
    made = make_desk()
    set_price(made.listing, "72.50", at=utc_now())
    return made


def read(client: Client, path: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(client.get(f"{path}&form=json").content)
    return found


def cells(body: dict[str, Any], name: str) -> list[Any]:
    return [row[body["columns"].index(name)] for row in body["rows"]]


def test_the_desk_is_exported_as_its_view_and_header_filters_show_it(world: DeskWorld) -> None:
    small, large = capture(world), capture(world, order_qty=Decimal(2000), client_order_id="=1+1")
    client = client_of(world.dealer)
    assert cells(read(client, "/desk/export?view=all"), "ref") == [large.ref, small.ref]
    chosen = read(client, "/desk/export?view=mine&f.qty=2,0&f.symbol=vod")
    assert cells(chosen, "ref") == [large.ref]
    assert chosen["filter"] == {"view": "My working", "qty": "2,0", "symbol": "vod"}
    assert (chosen["taken_by"], chosen["row_count"]) == (world.dealer.username, 1)
    assert cells(read(client, "/desk/export?view=filled"), "ref") == []
    assert client.get("/desk/export?view=all&f.at=09").status_code == 400
    assert client.get("/desk/export?view=nonsense").status_code == 400
    assert client.get("/desk/export?view=all&form=exe").status_code == 400
    lines = list(csv.reader(io.StringIO(client.get("/desk/export?view=mine&f.qty=2,0&form=csv").content.decode())))
    row = dict(zip(lines[-2], lines[-1], strict=True))
    assert (row["Quantity"], row["Client ref"]) == ("2000", "'=1+1")


def test_nobody_elses_rows_are_in_an_export(world: DeskWorld) -> None:
    capture(world)
    ExceptionItem.objects.create(
        id=new_id(), kind="STUCK", subject="x", desk=world.desk, severity="high", sentence="=HYPERLINK(1)", dedupe_key="k",
        first_event_id=new_id(), raised_at=utc_now(), last_seen_at=utc_now(),
    )  # fmt: skip
    own, other = client_of(world.dealer), client_of(make_desk("EQ2").dealer)
    assert [read(own, path)["row_count"] > 0 for path in PATHS] == [True, True, False, True]
    assert [read(other, path)["row_count"] for path in PATHS[:3]] == [0, 0, 0]
    assert world.account.code not in cells(read(other, PATHS[3]), "account")
    assert world.account.code in cells(read(own, PATHS[3]), "account")


@pytest.mark.parametrize("form", FORMS)
def test_every_export_is_on_record_with_what_left(world: DeskWorld, form: str) -> None:
    capture(world)
    answer = client_of(world.dealer).get(f"/desk/export?view=all&form={form}")
    event = Event.objects.get(stream=f"reads:{world.dealer.user_id}")
    assert (event.kind, event.actor) == ("RecordsExported", world.dealer.actor)
    assert event.payload["sha256"] == answer.headers["X-Content-SHA256"]
    assert (event.payload["what"], event.payload["rows"], event.payload["form"]) == ("Orders", 1, form)
    assert "attachment" in answer.headers["Content-Disposition"]


def test_what_cannot_be_recorded_does_not_leave(world: DeskWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(**_: object) -> None:
        raise OSError("no space")

    monkeypatch.setattr(recording, "append_to_stream", broken)
    with pytest.raises(OSError, match="no space"):
        client_of(world.dealer).get("/desk/export?view=all")
