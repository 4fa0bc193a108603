"""Keys as a patient person presses them: a page whose figures went stale for a moment sends nothing and says so; then they press again.

A busy machine stalls the live feed for seconds, and the product is right to refuse then. What a journey proves must not depend on it.
"""

from __future__ import annotations

from playwright.sync_api import Locator, Page, Route, expect

TRIES = 4


def commit(page: Page, then: Locator, text: str = "", *, timeout: float = 15_000) -> None:
    """Ctrl+Enter, after which ``then`` holds ``text``; pressed again only where the page has said that it was stale and sent nothing."""
    reached = then.filter(has_text=text) if text else then
    refused = page.locator("#toasts .toast", has_text="stale")
    for _ in range(TRIES):
        expect(refused).to_have_count(0)
        await_live(page)
        page.keyboard.press("Control+Enter")
        expect(reached.or_(refused).first).to_be_visible(timeout=timeout)
        if refused.count() == 0:
            return
    expect(reached).to_be_visible()


def approve(page: Page, said: str = "Approved and applied", *, timeout: float = 15_000) -> None:
    """The open item, from the keyboard: A arms, Ctrl+Enter commits."""
    for _ in range(TRIES):
        await_live(page)
        page.keyboard.press("a")
        if page.locator(".decide[data-armed=approve]").count():
            break
    expect(page.locator("#armed")).to_contain_text("Armed: approve")
    commit(page, page.locator("#decided"), said, timeout=timeout)


def hold_back(page: Page, url: str) -> list[Route]:
    """The first request to ``url`` from now on, once it is made, to be let go with ``continue_()``; later ones go through."""
    held: list[Route] = []

    def hold(route: Route) -> None:
        if held:
            route.continue_()
        else:
            held.append(route)

    page.route(url, hold)
    return held


def await_live(page: Page) -> None:
    """The live feed is heard."""
    expect(page.locator("#live b")).to_contain_text("Live")
