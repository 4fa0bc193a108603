"""A stop is pressed by keyboard, seen by others, and let go by a second person."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.journeys import hands
from tests.journeys.conftest import SignIn
from tests.journeys.house import House

pytestmark = pytest.mark.ui
STANDING = "SELECT count(*) FROM risk_block WHERE source = 'kill_switch' AND scope_id = 'JOURNEY' AND lifted_at IS NULL"


def test_a_stop_is_pressed_seen_and_let_go_by_another(house: House, sign_in: SignIn) -> None:
    head = sign_in("m.ruiz", path="/risk")
    expect(head.locator("#kill-reach")).to_contain_text("Will stop the whole firm")
    head.select_option("#k-scope", "strategy")
    head.fill("#k-name", "JOURNEY")
    expect(head.locator("#kill-reach")).to_contain_text("Will stop strategy JOURNEY: 0 working orders, 0 queued")
    head.fill("#k-reason", "Runaway orders")

    head.focus("[data-hold-to-press]")
    head.keyboard.down("Space")
    head.wait_for_timeout(300)
    head.keyboard.up("Space")
    head.wait_for_timeout(1000)
    assert house.sql(STANDING) == [(0,)]  # let go too soon: not meant
    head.fill("#k-typed", "SOMETHING ELSE")
    head.keyboard.press("Control+Enter")
    expect(head.locator("#form-error")).to_contain_text("or type JOURNEY")
    assert house.sql(STANDING) == [(0,)]

    head.focus("[data-hold-to-press]")
    head.keyboard.down("Space")
    expect(head.locator("#stops")).to_contain_text("strategy JOURNEY")
    head.keyboard.up("Space")
    assert house.sql(STANDING) == [(1,)]

    dealer = sign_in("a.khan", path="/desk", color_scheme="dark")
    expect(dealer.locator("#banners")).to_contain_text("Stopped: strategy JOURNEY, by m.ruiz since")
    dealer.locator("#banners a").first.click()
    dealer.locator("#stops a[href^='/risk/kill/']").first.click()
    expect(dealer.locator("main")).to_contain_text("strategy JOURNEY")

    head.fill("#stops input[name=reason]", "Cause found")
    head.keyboard.press("Enter")
    expect(head.locator("#stops")).to_contain_text("waits for a second person of risk or compliance")
    risk = sign_in("s.patel", path="/approvals")
    risk.locator("#approval-list a", has_text="strategy JOURNEY").click()
    expect(risk.locator(".decide [data-primary]")).to_contain_text("Approve: reopen strategy JOURNEY")
    assert house.sql(STANDING) == [(1,)]
    hands.approve(risk, "nothing resumed by itself")
    assert house.sql(STANDING) == [(0,)]
