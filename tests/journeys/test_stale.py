"""Stale figures are impossible to miss, block entry, and end only with a fresh snapshot."""

from __future__ import annotations

import signal
import time

import pytest
from playwright.sync_api import expect

from tests.journeys.conftest import SignIn
from tests.journeys.house import House

pytestmark = pytest.mark.ui


def test_a_dropped_connection_shows_at_once_and_blocks_entry(house: House, sign_in: SignIn) -> None:
    page = sign_in("a.khan")
    expect(page.locator("#live b")).to_contain_text("Live")
    buy = page.locator("[data-key=buy]")
    expect(buy).not_to_have_attribute("aria-disabled", "true")
    started = time.monotonic()
    house.end("stream", signal.SIGKILL)
    expect(page.locator("#stale")).to_be_visible(timeout=2000)
    assert time.monotonic() - started < 1.5
    expect(page.locator("#stale")).to_contain_text("Figures are frozen as of")
    expect(buy).to_have_attribute("aria-disabled", "true")

    house.start("stream")
    expect(page.locator("#stale")).to_be_hidden(timeout=10_000)
    expect(buy).not_to_have_attribute("aria-disabled", "true")
    expect(page.locator("#foot-sync")).to_contain_text("resynced")


def test_a_silent_stall_shows_within_three_and_a_half_seconds(house: House, sign_in: SignIn) -> None:
    page = sign_in("a.khan")
    expect(page.locator("#live b")).to_contain_text("Live")
    started = time.monotonic()
    house.end("stream", signal.SIGSTOP)
    try:
        expect(page.locator("#stale")).to_be_visible(timeout=6000)
        assert time.monotonic() - started < 4.5
    finally:
        house.end("stream", signal.SIGCONT)
    expect(page.locator("#stale")).to_be_hidden(timeout=10_000)


def test_a_dead_picture_is_stale_too(house: House, sign_in: SignIn) -> None:
    page = sign_in("a.khan")
    expect(page.locator("#live b")).to_contain_text("Live")
    house.end("picture", signal.SIGKILL)
    expect(page.locator("#stale")).to_be_visible(timeout=8000)
    house.start("picture")
    expect(page.locator("#stale")).to_be_hidden(timeout=15_000)


def test_twelve_tabs_share_one_connection(house: House, sign_in: SignIn) -> None:
    page = sign_in("a.khan")
    for _ in range(11):
        page.context.new_page().goto(f"{house.url}/desk")
    for tab in page.context.pages:
        expect(tab.locator("#live b")).to_contain_text("Live")
    for tab in page.context.pages[1:]:
        tab.close()
