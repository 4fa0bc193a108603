"""The evidence of one order: its events proven, its messages bound to them, and tampering with the house named."""

from __future__ import annotations

import json
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from authorisation.domain.principal import process_principal
from journal.models import Event
from kernel.errors import NotFound
from kernel.ids import new_id
from operations.services.export_order_evidence import export_order_evidence
from orders.domain.results import CaptureResult
from orders.models import Order
from refdata.domain.ticks import FeedTick
from refdata.services.take_ticks import take_ticks
from tests.factories import AT, evidence, make_desk, tamper
from tests.factories.executed import filled
from tests.factories.seals import Sealing, guards_off, sealing_in
from tests.factories.venues import make_session

pytestmark = pytest.mark.django_db
PRICES = process_principal("prices")


@pytest.fixture
def sealing(tmp_path: Path, settings: Any) -> Sealing:
    sealing = sealing_in(tmp_path, settings)
    sealing.at = AT + timedelta(hours=1)
    return sealing


@pytest.fixture
def orders(sealing: Sealing) -> list[CaptureResult]:
    """Two filled orders, sealed in several seals."""
    world = make_desk()
    make_session()
    first = filled(world, "k1")
    while sealing.seal(events_per_seal=4).sealed:
        pass
    second = filled(world, "k2", qty=500, number=4)
    assert set(Order.objects.values_list("ord_status", flat=True)) == {"2"}
    while sealing.seal(events_per_seal=4).sealed:
        pass
    return [first, second]


def export(sealing: Sealing, name: object, directory: Path) -> Path:
    made = export_order_evidence(directory=directory, name=str(name), actor="process:test", at=sealing.at, build="test")
    return made.directory


def test_an_order_holds_for_a_stranger_with_its_messages(
    sealing: Sealing, orders: list[CaptureResult], tmp_path: Path
) -> None:
    made = export(sealing, orders[0].order_id, tmp_path / "out")
    code, verdict, complaint = evidence.as_a_stranger(made)
    assert (code, verdict["findings"], complaint) == (0, [], "")
    figures = verdict["figures"]
    kinds = list(
        Event.objects.filter(stream=f"order:{orders[0].order_id}").order_by("seq").values_list("kind", flat=True)
    )
    assert (kinds[0], kinds.count("ReportApplied")) == ("OrderCaptured", 3)
    assert figures["events"] == figures["proven"] == len(kinds)
    assert (figures["messages"], figures["messages_bound"]) == (3, 3)
    assert any("later events" in sentence for sentence in verdict["cannot_prove"])


def test_events_after_the_last_seal_are_counted_not_hidden(
    sealing: Sealing, orders: list[CaptureResult], tmp_path: Path
) -> None:
    with guards_off() as cursor:
        for table in ("journal_sealanchor", "journal_seal"):
            cursor.execute(f"DELETE FROM {table} WHERE number > (SELECT max(number) - 3 FROM {table})")
    made = export(sealing, orders[1].order_id, tmp_path / "out")
    _, verdict, _ = evidence.as_a_stranger(made)
    assert [finding["code"] for finding in verdict["findings"]] == ["ANCHOR_AHEAD"] * 3
    assert verdict["figures"]["unsealed"] >= 1


def test_a_raw_message_edited_in_the_house_is_named(
    sealing: Sealing, orders: list[CaptureResult], tmp_path: Path
) -> None:
    with guards_off() as cursor:
        cursor.execute("UPDATE venues_wiremessage SET raw = replace(raw, '31=72.4', '31=71.4') WHERE msg_seq_num = 2")
    assert evidence.codes(export(sealing, orders[0].order_id, tmp_path / "one")) == ["MESSAGE_DIFFERS"]
    assert evidence.codes(export(sealing, orders[1].order_id, tmp_path / "other")) == []


def test_an_order_rewritten_consistently_leads_to_no_seal(
    sealing: Sealing, orders: list[CaptureResult], tmp_path: Path
) -> None:
    tamper.rewrite_chain(f"order:{orders[0].order_id}", lambda payload: {**payload, "note": "as agreed"})
    assert evidence.codes(export(sealing, orders[0].order_id, tmp_path / "one")) == ["INCLUSION_FAILS"]
    assert evidence.codes(evidence.export(sealing, tmp_path / "all")) == ["SEALED_EVENTS_CHANGED"]


def test_an_order_deleted_with_all_its_rows_and_events(
    sealing: Sealing, orders: list[CaptureResult], tmp_path: Path
) -> None:
    tamper.delete_order(orders[0].order_id)
    with pytest.raises(NotFound):
        export(sealing, orders[0].order_id, tmp_path / "one")
    assert sealing.codes() == ["SEALED_EVENTS_MISSING"]
    assert evidence.codes(evidence.export(sealing, tmp_path / "all"))[-1] == "SEALED_EVENTS_MISSING"


def test_the_price_a_decision_saw_goes_with_the_order(sealing: Sealing, tmp_path: Path) -> None:
    world = make_desk()
    make_session()
    tick = FeedTick("VOD.L", "GBX", AT, last=Decimal("72.52"), phase="continuous")
    take_ticks(actor=PRICES, at=AT, source="SIM1", session=new_id(), heard_at=AT, ticks=[tick])
    order = filled(world, "k1")
    while sealing.seal(events_per_seal=4).sealed:
        pass
    made = export(sealing, order.order_id, tmp_path / "out")
    code, verdict, _ = evidence.as_a_stranger(made)
    assert (code, verdict["findings"]) == (0, [])
    (seen,) = [json.loads(line) for line in (made / "prices.jsonl").read_text().splitlines()]
    assert (seen["symbol"], Decimal(seen["last"]), seen["source"], seen["outcome"]) == (
        *("VOD.L", Decimal("72.52"), "SIM1", "applied"),
    )
    stored = Order.objects.get().requests.get()
    assert seen["id"] in {
        answer["facts"].get("tick") for answer in stored.checks if answer["code"] == "REFERENCE_PRICE"
    }
