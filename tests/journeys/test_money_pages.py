"""Money and stock on the screen: a figure opened down to its events, as at, money paid out, a corporate action carried to its day."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import expect

from tests.journeys.conftest import SignIn
from tests.journeys.house import House
from tests.journeys.test_risk_changes import approve

pytestmark = pytest.mark.ui


def test_a_figure_opens_down_to_its_bookings_and_as_it_was(house: House, sign_in: SignIn) -> None:
    page = sign_in("r.silva", path="/positions")
    page.locator("main input[name=q]").fill("AC4480")
    page.keyboard.press("Enter")
    page.locator("main a[href='/positions/AC4480']").press("Enter")
    page.wait_for_url("**/positions/AC4480")
    figure = page.locator("a[href^='/positions/AC4480/GBP/settled']")
    expect(figure).to_have_text("18,000,000.00")
    figure.press("Enter")
    expect(page.locator(".effect").first).to_contain_text("18,000,000.00 GBP")
    expect(page.locator(".effect").first).to_contain_text("The parts below add up to it.")
    bookings = page.locator("section[aria-labelledby=h-bookings]")
    expect(bookings.locator("tbody tr")).not_to_have_count(0)
    expect(bookings).not_to_contain_text("no such event")
    expect(bookings.locator("tfoot")).to_contain_text("18,000,000.00")

    before = (datetime.now(UTC) - timedelta(days=3)).strftime("%Y-%m-%dT%H:%M:%S")
    page.goto(f"{house.url}/positions/AC4480?at={before}")
    expect(page.locator("main [role=status]").first).to_contain_text("As known at")
    expect(page.locator("main")).to_contain_text("The account had no cash then.")


def test_money_is_held_at_once_and_paid_by_a_second_person(house: House, sign_in: SignIn) -> None:
    maker = sign_in("r.silva", path="/positions/AC4481")
    maker.get_by_text("Pay cash out").press("Enter")
    form = maker.locator("form[action$='/withdrawals']")
    form.locator("select[name=currency]").select_option("GBP")
    form.locator("input[name=amount]").fill("1,000")
    form.locator("input[name=purpose]").fill("To the client's bank")
    maker.keyboard.press("Enter")
    expect(maker.locator(".decide")).to_contain_text("You are the maker")
    maker.goto(f"{house.url}/positions/AC4481")
    expect(maker.locator("a[href^='/positions/AC4481/GBP/reserved']")).to_have_text("1,000.00")

    checker = sign_in("b.ferri", path="/approvals")
    approve(checker, "AC4481", "AC4481")
    checker.goto(f"{house.url}/positions/AC4481/GBP/settled")
    expect(checker.locator("section[aria-labelledby=h-bookings]")).to_contain_text("−1,000.00")


def test_a_corporate_action_is_entered_looked_at_asked_for_and_approved(house: House, sign_in: SignIn) -> None:
    maker = sign_in("r.silva", path="/corporate-actions")
    maker.fill("#f-symbol", "NOSUCH")
    maker.fill("#f-source", "agent")
    maker.fill("#f-reference", "J-1")
    maker.keyboard.press("Enter")
    expect(maker.locator("[aria-invalid=true]").first).to_be_visible()
    expect(maker.locator("#f-reference")).to_have_value("J-1")
    day = (datetime.now(UTC) + timedelta(days=14)).date().isoformat()
    maker.fill("#f-symbol", "LLOY.L")
    maker.select_option("#f-kind", "split")
    maker.fill("#f-ex_date", day)
    maker.fill("#f-ratio_new", "2")
    maker.fill("#f-ratio_old", "1")
    maker.select_option("#f-fractions", "down")
    maker.keyboard.press("Enter")
    maker.wait_for_url(re.compile("/corporate-actions/[0-9a-f-]{36}$"))
    line = maker.get_by_role("region", name="Accounts").locator("tr", has_text="AC4480")
    expect(line).to_contain_text("633,300")
    expect(line).to_contain_text("+633,300")
    maker.fill("#a-reason", "Checked against the notice")
    maker.keyboard.press("Enter")
    expect(maker.locator("main")).to_contain_text("waits for a second person")

    checker = sign_in("b.ferri", path="/approvals", color_scheme="dark")
    approve(checker, "LLOY.L", "LLOY.L")
    maker.reload()
    expect(maker.locator(".order-head")).to_contain_text("Approved")
