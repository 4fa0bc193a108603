"""A price whose feed fell silent says so by itself, even when no answer comes any more; nothing stale looks live."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.journeys.conftest import SignIn
from tests.journeys.house import House

pytestmark = pytest.mark.ui


def test_a_silent_feed_freezes_its_line_without_the_server(house: House, sign_in: SignIn) -> None:
    house.fresh_prices()
    page = sign_in("a.khan", path="/prices?q=VOD.L")
    line = page.locator("#price-board tr", has_text="VOD.L")
    expect(line).to_be_visible()
    assert line.get_attribute("data-frozen") is None
    page.route("**/prices?part=1*", lambda route: route.abort())
    page.clock.install()
    page.clock.fast_forward("01:05")
    expect(line).to_have_attribute("data-frozen", "1")
    expect(line).to_contain_text("Stale")
    page.unroute("**/prices?part=1*")
