"""A scheme by request: a dealer writes it and sees what it would do, operations saves it, and in the same way it ends again."""

from __future__ import annotations

import re
from uuid import UUID

import pytest
from playwright.sync_api import Page, expect

from tests.journeys import hands
from tests.journeys.conftest import SignIn
from tests.journeys.house import House

pytestmark = pytest.mark.ui
NEWEST = "SELECT version, ended FROM allocations_scheme WHERE code = 'J-HALVES' ORDER BY version DESC LIMIT 1"
WAITING = "SELECT id FROM authorisation_authorisationrequest WHERE subject_id = 'scheme:J-HALVES' ORDER BY created_at DESC LIMIT 1"


def test_a_scheme_is_saved_and_ended_by_two_people(house: House, sign_in: SignIn) -> None:
    dealer, checker = sign_in("a.khan", path="/alloc"), sign_in("b.ferri", path="/approvals")
    dealer.get_by_role("link", name="Schemes", exact=True).press("Enter")
    dealer.wait_for_url("**/alloc/schemes")
    dealer.get_by_label("Code").fill("J-HALVES")
    dealer.get_by_label("Name").fill("Halves of two")
    dealer.get_by_label("Method").select_option("percentage")
    dealer.get_by_label("Lines", exact=True).fill("AC4471, 50\nAC4472, 49")
    dealer.locator("#s-reason").fill("Both clients asked for halves.")
    dealer.get_by_role("button", name="What would it do?").press("Enter")
    expect(dealer.locator("#scheme-effect")).to_contain_text("The percentages sum to 99")
    dealer.get_by_label("Lines", exact=True).fill("AC4471, 50\nAC4472, 50")
    dealer.get_by_role("button", name="What would it do?").press("Enter")
    expect(dealer.locator("#scheme-effect")).to_contain_text("percent 50")
    dealer.locator("#s-reason").press("Control+Enter")
    expect(dealer.locator("#scheme-said")).to_contain_text("It waits for a second person")
    _approve(house, checker, "Both clients asked for halves")
    assert house.sql(NEWEST) == [(1, False)]

    dealer.goto(f"{house.url}/alloc/schemes?code=J-HALVES")
    expect(dealer.locator("main")).to_contain_text("In force")
    dealer.get_by_label("Why it is to end").fill("One of them has left.")
    dealer.get_by_role("button", name=re.compile("^Ask to end")).press("Enter")
    expect(dealer.locator("#scheme-said")).to_contain_text("end scheme J-HALVES")
    _approve(house, checker, "One of them has left")
    assert house.sql(NEWEST) == [(2, True)]


def _approve(house: House, page: Page, reason: str) -> None:
    request: UUID = house.sql(WAITING)[0][0]
    page.goto(f"{house.url}/approvals?view=all&id={request}")
    expect(page.locator("#approval-item")).to_contain_text(reason)
    hands.approve(page)
