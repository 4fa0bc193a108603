"""From the ticket over a real FIX session and back: filled, canceled and amended orders, live on the screen."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.journeys import hands
from tests.journeys.conftest import SignIn
from tests.journeys.house import House

pytestmark = [pytest.mark.ui, pytest.mark.fix]


def send(page: Page, house: House, qty: str, price: str) -> str:
    """Buy VOD.L from the desk's drawer; the reference of the order."""
    house.fresh_prices()
    page.keyboard.press("b")
    page.fill("#t-symbol", "VOD.L")
    page.fill("#t-qty", qty)
    page.fill("#t-price", price)
    page.fill("#t-account", "AC4480")
    expect(page.locator("#ticket [data-primary]")).to_contain_text(f"BUY {qty} VOD.L")
    hands.commit(page, page.locator("#ticket-title"), "Sent")
    return page.locator("#ticket-ref").inner_text()


def test_an_order_is_filled_and_its_page_tells_the_whole_story(trading_house: House, sign_in: SignIn) -> None:
    page = sign_in("a.khan", path="/desk")
    page.locator("[data-view-name=all]").click()
    ref = send(page, trading_house, "1,100", "75")
    row = page.locator(".row-v", has_text=ref)
    expect(row).to_contain_text("Filled", timeout=30_000)
    expect(row).to_contain_text("100%")
    page.goto(f"{trading_house.url}/o/{ref}")
    for text in ("Order captured: 1,100 @ 75", "Handed to the FIX engine", "Accepted by the venue", "Fill: "):
        expect(page.locator(".timeline")).to_contain_text(text)
    expect(page.locator(".messages").first).to_contain_text("NewOrderSingle")
    page.locator(".messages summary", has_text="35=D").click()
    expect(page.locator(".fix").first).to_contain_text("ClOrdID")

    first = page.locator(".timeline li").first
    first.locator("summary").click()
    first.get_by_role("link", name="to here: the order as it was").click()
    page.wait_for_url(f"**/o/{ref}/as-at/1")
    expect(page.locator(".notice")).to_contain_text("As it was.")
    expect(page.locator(".order-head")).to_contain_text("0 / 1,100")
    expect(page.get_by_role("region", name="AC4480 then")).to_contain_text("GBP")
    expect(page.get_by_role("region", name="a.khan then")).to_contain_text("Might trade this order.")
    page.get_by_role("link", name="the order as it is").click()
    expect(page.locator(".order-head")).to_contain_text("Filled")


def test_a_working_order_is_amended_and_canceled_from_its_page(trading_house: House, sign_in: SignIn) -> None:
    page = sign_in("a.khan", path="/desk")
    ref = send(page, trading_house, "1,200", "68")
    page.goto(f"{trading_house.url}/o/{ref}")
    head = page.locator(".order-head")
    expect(head).to_contain_text("Working", timeout=30_000)

    trading_house.fresh_prices()
    page.keyboard.press("e")
    page.fill("#a-qty", "1,500")
    expect(page.locator("#amend-preview [data-primary]")).to_contain_text("Amend to 1,500 @ 68.00 VOD.L")
    expect(page.locator("#amend-preview")).to_contain_text("+300 (+25%)")
    page.keyboard.press("Control+Enter")
    expect(head).to_contain_text("1,500 @ 68.00", timeout=30_000)

    page.locator("#ticket [data-drawer-close]").click()
    page.keyboard.press("x")
    expect(page.locator("#ticket [data-primary]")).to_contain_text("Cancel 1 order 1,500 VOD.L")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#ticket")).to_contain_text("cancel sent; the venue decides")
    expect(head).to_contain_text("Canceled", timeout=30_000)
    expect(page.locator("[data-key=cancel]")).to_have_attribute("aria-disabled", "true")
