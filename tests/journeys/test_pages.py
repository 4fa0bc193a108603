"""Pages open for those who may see them, say who they are for, and keep silent about the rest."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.journeys.conftest import SignIn
from tests.journeys.house import House

pytestmark = pytest.mark.ui

PAGES = ("/desk", "/approvals", "/exceptions", "/venues", "/search?q=AC4480", "/preferences", "/o/new")


def test_wrong_password_says_nothing_more(house: House, sign_in: SignIn) -> None:
    page = sign_in("l.berg")
    page.context.clear_cookies()
    page.goto(f"{house.url}/sign-in")
    page.fill("#id_username", "a.khan")
    page.fill("#id_password", "not the password")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("Name or password is wrong")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_opens_cleanly(house: House, sign_in: SignIn, scheme: str) -> None:
    page = sign_in("a.khan", color_scheme=scheme)
    for path in PAGES:
        response = page.goto(house.url + path)
        assert response is not None
        assert response.status == 200, path
        assert "script-src 'self'" in (response.header_value("content-security-policy") or "")
        expect(page.locator("#live b")).to_contain_text("Live")


def test_who_may_not_enter_orders_sees_why(sign_in: SignIn) -> None:
    page = sign_in("l.berg")
    buy = page.get_by_role("button", name="Buy")
    expect(buy).to_have_attribute("aria-disabled", "true")
    expect(page.locator(".bar").first).to_contain_text("Your role may not enter orders.")


def test_an_order_nobody_has_is_not_there(house: House, sign_in: SignIn) -> None:
    page = sign_in("a.khan")
    response = page.goto(f"{house.url}/o/O-2611-999999")
    assert response is not None
    assert response.status == 404


def test_keys_lead_to_pages_and_the_sheet(house: House, sign_in: SignIn) -> None:
    page = sign_in("a.khan")
    page.keyboard.press("?")
    expect(page.locator("#key-sheet")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#key-sheet")).to_be_hidden()
    page.keyboard.press("g")
    page.keyboard.press("a")
    page.wait_for_url("**/approvals")
    page.keyboard.press("/")
    expect(page.locator("#find")).to_be_focused()
    expect(page.locator(".nav a[aria-current=page]")).to_contain_text("Approvals")
