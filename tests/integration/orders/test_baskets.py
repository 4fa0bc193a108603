"""A batch or a file is judged as a whole before its first line, and put on record for the next."""

from __future__ import annotations

from decimal import Decimal

import pytest

from journal.models import Event, IdempotencyKey
from kernel.errors import Refused
from orders.models import Basket, Order, Upload
from orders.services.capture_orders import capture_orders
from orders.services.run_upload import run_upload
from orders.services.stage_upload import stage_upload
from risk.models import ConductPolicy
from tests.factories import AT, DeskWorld, make_desk, set_rulebook, terms

pytestmark = pytest.mark.django_db
HEADER = "account,symbol,side,ord_type,order_qty,price"


@pytest.fixture
def world() -> DeskWorld:
    return make_desk(cash="10000000")


def batch(world: DeskWorld, key: str, *quantities: int) -> list[str]:
    rows = [(str(n), terms(world, order_qty=Decimal(qty))) for n, qty in enumerate(quantities)]
    results = capture_orders(actor=world.dealer, at=AT, idempotency_key=key, route="b", rows=rows, source="api")
    return [row.outcome for row in results]


def file_of(world: DeskWorld, *quantities: int) -> bytes:
    lines = [f"{world.account.code},VOD.L,buy,limit,{qty},72.50" for qty in quantities]
    return "\n".join([HEADER, *lines]).encode()


def test_a_basket_within_its_marks_is_taken_and_one_beyond_leaves_nothing(world: DeskWorld) -> None:
    set_rulebook(basket_orders=3, basket_notional={"GBP": "2175"})
    assert batch(world, "k1", 1000, 1000, 1000) == ["released"] * 3
    counts = (Order.objects.count(), Event.objects.count(), IdempotencyKey.objects.count())
    for quantities, said in (((1000, 1000, 1001), "GBP 2175.72"), ((1, 1, 1, 1), "4 orders")):
        with pytest.raises(Refused, match=said) as refusal:
            batch(world, "k2", *quantities)
        assert refusal.value.code == "BASKET_LIMIT"
    assert (Order.objects.count(), Event.objects.count(), IdempotencyKey.objects.count()) == counts
    basket = Basket.objects.get()
    assert (basket.orders, basket.values, basket.counted) == (3, {"GBP": "2175"}, Decimal(2175))


def test_the_same_key_is_answered_again_although_the_marks_have_fallen(world: DeskWorld) -> None:
    assert batch(world, "k1", 1000) == ["released"]
    ConductPolicy.objects.update(basket_orders=0)
    assert batch(world, "k1", 1000) == ["released"]
    with pytest.raises(Refused):
        batch(world, "k2", 1000)


def test_a_basket_is_compared_with_the_last_ones_of_its_owner(world: DeskWorld) -> None:
    set_rulebook(basket_ratio=Decimal(10))
    for number in range(5):
        assert batch(world, f"k{number}", 100 + number) == ["released"]
    assert batch(world, "at", 1040) == ["released"]
    with pytest.raises(Refused, match="times the largest of your last 6"):
        batch(world, "beyond", 10401)


def test_a_file_beyond_its_marks_is_not_staged_and_one_within_is_one_basket(world: DeskWorld) -> None:
    set_rulebook(basket_orders=2)
    with pytest.raises(Refused, match="3 orders"):
        stage_upload(actor=world.dealer, at=AT, file_name="a.csv", content=file_of(world, 1, 2, 3))
    assert not Upload.objects.exists()
    upload_id = stage_upload(actor=world.dealer, at=AT, file_name="b.csv", content=file_of(world, 1, 2))
    assert run_upload(actor=world.dealer, at=AT, upload_id=upload_id) == 0
    assert (Order.objects.count(), Basket.objects.count()) == (2, 1)
