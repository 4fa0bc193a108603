"""The board says the state of every price in words, the doubt ends by a named person, programs read the same."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from authorisation.domain.principal import process_principal
from kernel.clock import utc_now
from kernel.ids import new_id
from operations.domain.price_state import MEANING, SHOWN, AgeMarks, PriceState, state_of
from refdata.domain.ticks import FeedTick
from refdata.models import PriceTick, ReferencePrice
from refdata.permissions import JUDGE_PRICE
from refdata.selectors import get_listing_by_symbol
from refdata.services.take_ticks import take_ticks
from tests.factories import DeskWorld, make_desk, make_listing, make_principal
from tests.integration.operations.test_pages import client_of
from tests.integration.orders.test_api import TOKEN, issue_token

pytestmark = pytest.mark.django_db
FEED = new_id()
BEARER = {"Authorization": f"Bearer {TOKEN}"}


@pytest.fixture
def world() -> DeskWorld:
    world = make_desk()
    make_listing("BARC.L", last=None)
    return world


def told(last: str = "72.50", *, ago: int = 0, **more: Any) -> None:
    at = utc_now() - timedelta(seconds=ago)
    tick = FeedTick("VOD.L", "GBX", at, last=Decimal(last), phase="continuous", **more)
    take_ticks(actor=process_principal("prices"), at=at, source="SIM1", session=FEED, heard_at=at, ticks=[tick])


def page(client: Client, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200
    return answer.content.decode()


@pytest.mark.parametrize(
    ("age", "state"),
    [
        (0, PriceState.GOOD),
        (15, PriceState.GOOD),
        (16, PriceState.STALE),
        (3600, PriceState.STALE),
        (3601, PriceState.UNUSABLE),
    ],
)
def test_the_state_follows_the_marks(world: DeskWorld, age: int, state: PriceState) -> None:
    told(ago=4000)
    at = ReferencePrice.objects.get().priced_at + timedelta(seconds=age)
    listing = get_listing_by_symbol("VOD.L", at=at)
    assert state_of(listing, AgeMarks(Decimal(15), Decimal(3600)), at) is state
    assert state_of(listing, AgeMarks(None, Decimal(3600)), at) in (PriceState.GOOD, PriceState.UNUSABLE)
    assert state_of(listing, AgeMarks(None, None), at) is PriceState.UNUSABLE


def test_every_state_has_words_a_glyph_and_a_meaning() -> None:
    assert set(SHOWN) == set(MEANING) == set(PriceState)
    assert len({shown.text for shown in SHOWN.values()}) == len(PriceState)


def test_the_board_shows_figures_units_and_states(world: DeskWorld) -> None:
    told(bid=Decimal("72.49"), ask=Decimal("72.51"), bid_size=Decimal(12000), ask_size=Decimal(500))
    client = client_of(world.dealer)
    text = page(client, "/prices")
    assert all(word in text for word in ("VOD.L", "GBX", "72.49", "72.51", "12,000", "Live", "SIM1", "Missing"))
    odd = page(client, "/prices?view=odd&part=1")
    assert "BARC.L" in odd
    assert "VOD.L" not in odd
    assert "No listing matches “nothing”." in page(client, "/prices?q=nothing&part=1").replace("&quot;", '"')


def test_a_doubt_is_shown_and_ended_by_operations_not_by_the_dealer(world: DeskWorld) -> None:
    told(ago=2)
    told("99", ago=1)
    judge = make_principal(
        "judge", role="operations", rights=(JUDGE_PRICE,), desks=(world.desk,), groups=(world.group,)
    )
    dealer, operations = client_of(world.dealer), client_of(judge)
    assert "Suspect" in page(dealer, "/prices")
    assert "Operations or risk may end the doubt." in page(dealer, "/prices/VOD.L")
    assert "Believe 99" in page(operations, "/prices/VOD.L")
    form = {"tick": str(ReferencePrice.objects.get().doubted_tick), "verdict": "believe", "reason": "Phoned."}
    assert dealer.post("/prices/VOD.L/settle", form).status_code == 403
    assert operations.post("/prices/VOD.L/settle", form | {"reason": ""}).status_code == 400
    assert operations.post("/prices/VOD.L/settle", form | {"tick": "x"}).status_code == 400
    assert ReferencePrice.objects.get().quality == "suspect"
    assert operations.post("/prices/VOD.L/settle", form).status_code == 302
    assert (ReferencePrice.objects.get().quality, ReferencePrice.objects.get().last) == ("good", Decimal(99))
    assert operations.post("/prices/VOD.L/settle", form).status_code == 409


def test_a_tick_can_be_shown_and_a_forgotten_one_says_so(world: DeskWorld) -> None:
    told("72.55")
    client = client_of(world.dealer)
    tick_id = PriceTick.objects.get().id
    assert "72.55" in page(client, f"/prices/ticks/{tick_id}")
    answer = client.get(f"/prices/ticks/{new_id()}")
    assert answer.status_code == 404
    assert "the decision itself keeps the figures it saw" in answer.content.decode()


def test_programs_read_prices_as_text_with_unit_state_and_tick(world: DeskWorld, client: Client) -> None:
    told(bid=Decimal("72.49"))
    issue_token(world.dealer.user_id)
    answer = client.get("/api/v1/prices?symbols=VOD.L,barc.l,NO.L", headers=BEARER)
    assert answer.status_code == 200
    body = answer.json()
    assert body["unknown"] == ["NO.L"]
    by_symbol = {row["symbol"]: row for row in body["prices"]}
    vod = by_symbol["VOD.L"]
    assert (vod["last"], vod["bid"], vod["ask"], vod["price_unit"], vod["state"], vod["quality"]) == (
        *("72.5", "72.49", None, "GBX", "good", "good"),
    )
    assert vod["tick"] == str(ReferencePrice.objects.get().tick)
    assert by_symbol["BARC.L"]["state"] == "missing"


@pytest.mark.parametrize(
    "query", ["", "?symbols=", "?symbols=" + ",".join(f"S{n}" for n in range(101)), "?symbols=A&x=1"]
)
def test_a_malformed_question_is_refused(world: DeskWorld, client: Client, query: str) -> None:
    issue_token(world.dealer.user_id)
    assert client.get(f"/api/v1/prices{query}", headers=BEARER).status_code == 400
