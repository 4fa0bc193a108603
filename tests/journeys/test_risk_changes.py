"""What risk asks for bites only after a second person has seen its effect; the dealer reads no more than is meant for the desk."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.journeys import hands
from tests.journeys.conftest import SignIn
from tests.journeys.house import House

pytestmark = pytest.mark.ui


def type_order(page: Page, symbol: str, qty: str, price: str, account: str) -> None:
    page.fill("#t-symbol", symbol)
    page.fill("#t-qty", qty)
    page.fill("#t-price", price)
    page.fill("#t-account", account)


def approve(checker: Page, subject: str, effect: str) -> None:
    """Open the item, read what it would do, and say yes from the keyboard."""
    checker.locator("#approval-list a", has_text=subject).first.click()
    expect(checker.locator("#approval-list .htmx-request")).to_have_count(0)
    expect(checker.locator("#effect")).to_contain_text(effect)
    expect(checker.locator(".decide [data-primary]")).to_contain_text("Approve:")
    hands.approve(checker)


def test_a_limit_is_asked_for_seen_with_its_effect_and_bites_at_the_next_ticket(house: House, sign_in: SignIn) -> None:
    risk = sign_in("s.patel", path="/risk/limits")
    risk.get_by_role("link", name="Ask for a new limit").press("Enter")
    risk.select_option("#l-scope", "account")
    risk.fill("#l-name", "AC4473")
    risk.select_option("#l-kind", "order_qty")
    risk.fill("#l-hard", "lots")
    expect(risk.locator("#limit-effect [role=alert]")).to_contain_text("is not a number")
    risk.fill("#l-hard", "500")
    expect(risk.locator("#limit-effect")).to_contain_text("500")
    risk.fill("#l-reason", "A new client")
    risk.keyboard.press("Control+Enter")
    expect(risk.locator("#limit-detail [role=status]")).to_contain_text("waits for a second person")

    dealer = sign_in("a.khan", path="/o/new")
    house.fresh_prices()
    type_order(dealer, "BARC.L", "600", "398.5", "AC4473")
    expect(dealer.locator("#ticket [data-primary]")).to_contain_text("BUY 600 BARC.L")

    checker = sign_in("c.young", path="/approvals", color_scheme="dark")
    approve(checker, "AC4473", "account AC4473")
    house.fresh_prices()
    dealer.fill("#t-qty", "601")
    expect(dealer.locator(".block-box")).to_contain_text("500")
    expect(dealer.locator("#ticket [data-primary]")).to_have_count(0)


def test_a_restriction_says_to_the_desk_only_whom_to_ask(house: House, sign_in: SignIn) -> None:
    maker = sign_in("c.young", path="/risk/rules")
    maker.fill("#s-instrument", "SGE.L")
    maker.fill("#s-source", "Project Larch")
    maker.fill("#s-reason", "Bid talks with a client")
    maker.keyboard.press("Enter")
    expect(maker.locator("#rules-said")).to_contain_text("waits for a second person")
    maker.locator("#rules-said a").press("Enter")
    expect(maker.locator(".decide [data-primary]")).to_have_attribute("aria-disabled", "true")

    approve(sign_in("d.okoro", path="/approvals"), "R-0", "Sage")
    dealer = sign_in("a.khan", path="/o/new")
    house.fresh_prices()
    type_order(dealer, "SGE.L", "100", "1090", "AC4480")
    expect(dealer.locator(".block-box")).to_contain_text("restricted, contact compliance")
    dealer.goto(f"{house.url}/risk/rules")
    expect(dealer.locator("#h-list")).to_be_visible()
    for secret in ("Larch", "Bid talks"):
        expect(dealer.locator("main")).not_to_contain_text(secret)


def test_what_somebody_types_survives_that_the_page_draws_itself_anew(house: House, sign_in: SignIn) -> None:
    head = sign_in("m.ruiz", path="/risk")
    head.select_option("#k-scope", "strategy")
    head.fill("#k-name", "LARCH")
    head.fill("#k-reason", "A drill")
    head.fill("#k-typed", "LARCH")
    head.keyboard.press("Control+Enter")
    reason = head.locator("#stops input[name=reason]").last
    reason.type("half a sen")
    with head.expect_response("**/risk?part=1"):
        head.evaluate("htmx.trigger('#stops', 'oms:refresh')")
    head.wait_for_timeout(100)
    expect(reason).to_be_focused()
    head.keyboard.type("tence")
    expect(reason).to_have_value("half a sentence")
    house.sql(
        "UPDATE risk_block SET lifted_by = 'test', lifted_at = now() WHERE source = 'kill_switch' AND scope_id = 'LARCH'"
    )
