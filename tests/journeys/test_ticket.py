"""A dealer enters an order without touching the mouse, and it is one order however often it is sent."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from playwright.sync_api import Keyboard, expect

from tests.journeys import hands
from tests.journeys.conftest import SignIn
from tests.journeys.house import House, wait_until

pytestmark = pytest.mark.ui


class Keys:
    """Types data freely and counts every other key."""

    def __init__(self, keyboard: Keyboard) -> None:
        self.keyboard = keyboard
        self.pressed = 0

    def type(self, text: str) -> None:
        self.keyboard.type(text)

    def press(self, key: str) -> None:
        self.pressed += 1
        self.keyboard.press(key)


def orders_of(house: House, symbol: str, qty: int) -> list[tuple[Any, ...]]:
    return house.sql(
        "SELECT o.ref, o.order_qty, o.price, o.request_state, r.idempotency_key FROM orders_order o "
        "JOIN refdata_listing l ON l.id = o.listing_id JOIN orders_orderrequest r ON r.order_id = o.id "
        "WHERE l.symbol = %s AND o.order_qty = %s ORDER BY o.ref",
        symbol,
        qty,
    )


def test_an_order_is_its_data_and_six_keys(house: House, sign_in: SignIn) -> None:
    page = sign_in("a.khan")
    expect(page.locator("#live b")).to_contain_text("Live")
    house.fresh_prices()
    keys = Keys(page.keyboard)
    keys.press("b")
    expect(page.locator("#t-symbol")).to_be_focused()
    keys.type("vod")
    keys.press("Tab")
    keys.type("10k")
    keys.press("Tab")
    keys.type("72.34")
    keys.press("Tab")
    keys.type("ac4480")
    keys.press("Enter")
    hands.commit(page, page.locator("#ticket-ref"))  # the sixth
    assert keys.pressed == 5

    found = orders_of(house, "VOD.L", 10_000)
    assert [(row[1], row[2], row[3]) for row in found] == [(Decimal(10_000), Decimal("72.34"), "released")]
    assert page.locator("#ticket-ref").inner_text() == found[0][0]
    expect(page.locator("oms-grid")).to_contain_text(found[0][0])


def test_what_is_typed_while_an_older_answer_is_on_its_way_is_sent_once_it_is_checked(
    house: House, sign_in: SignIn
) -> None:
    """The check of a ticket without its account answers late, when the account was typed and the order committed."""
    page = sign_in("a.khan", path="/o/new")
    hands.await_live(page)
    house.fresh_prices()
    page.fill("#t-symbol", "VOD.L")
    page.fill("#t-qty", "321")
    expect(page.locator("#ticket-preview")).to_contain_text("Still needed")
    held = hands.hold_back(page, "**/ticket/preview")
    page.fill("#t-price", "72.34")
    wait_until(lambda: page.evaluate("true") and held, seconds=15, what="the check held back")
    page.fill("#t-account", "AC4480")
    page.keyboard.press("Control+Enter")
    assert "AC4480" not in (held[0].request.post_data or "AC4480")
    held[0].continue_()
    expect(page.locator("#ticket-title")).to_have_text("Sent")
    assert [row[1] for row in orders_of(house, "VOD.L", 321)] == [Decimal(321)]


def test_the_button_says_the_order_and_the_echo_its_arithmetic(house: House, sign_in: SignIn) -> None:
    page = sign_in("a.khan", path="/o/new")
    house.fresh_prices()
    page.fill("#t-symbol", "BARC.L")
    page.fill("#t-qty", "1,200")
    page.fill("#t-price", "398.5")
    page.fill("#t-account", "AC4480")
    button = page.locator("#ticket [data-primary]")
    expect(button).to_contain_text("BUY 1,200 BARC.L @ 398.50")
    expect(page.locator("label[for=t-price]")).to_have_text("Limit, GBX")
    expect(page.locator(".echo")).to_contain_text("1,200 × 398.5 GBX ÷ 100")
    expect(page.locator(".echo")).to_contain_text("4,782.00")


def test_sending_twice_is_one_order(house: House, sign_in: SignIn) -> None:
    page = sign_in("a.khan", path="/o/new")
    house.fresh_prices()
    page.fill("#t-symbol", "VOD.L")
    page.fill("#t-qty", "777")
    page.fill("#t-price", "72.34")
    page.fill("#t-account", "AC4480")
    key = page.locator("input[name=key]").input_value()
    page.keyboard.press("Control+Enter")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#ticket-ref")).to_be_visible()
    found = orders_of(house, "VOD.L", 777)
    assert [row[4] for row in found] == [key]


def test_a_block_replaces_the_button_by_the_rule(house: House, sign_in: SignIn) -> None:
    page = sign_in("a.khan", path="/o/new?side=2")
    house.fresh_prices()
    page.fill("#t-symbol", "VOD.L")
    page.fill("#t-qty", "999000000")
    page.fill("#t-price", "72.34")
    page.fill("#t-account", "AC4480")
    expect(page.locator(".block-box")).to_be_visible()
    expect(page.locator("#ticket [data-primary]")).to_have_count(0)
    page.keyboard.press("Control+Enter")
    page.wait_for_timeout(400)
    assert orders_of(house, "VOD.L", 999_000_000) == []
