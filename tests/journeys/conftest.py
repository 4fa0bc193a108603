"""A real browser on a real house. Without a browser these tests are skipped and named; under CI=true that is a failure."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.journeys.house import House, wait_until

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
DUPLICATE_IDS = """() => {
  const seen = new Map();
  for (const element of document.querySelectorAll('[id]')) seen.set(element.id, (seen.get(element.id) || 0) + 1);
  return [...seen].filter(([, count]) => count > 1).map(([id]) => id);
}"""
INLINE = """() => [...document.querySelectorAll('*')].filter((element) => [...element.attributes].some(
  (attribute) => attribute.name.startsWith('on'))).map((element) => element.outerHTML.slice(0, 80))"""

TOLD = """() => {
  window.toldHere = [];
  const say = (text) => window.toldHere.push(`${new Date().toISOString().slice(11, 23)} ${text}`);
  let feed = "";
  new MutationObserver((changes) => {
    for (const change of changes) {
      const state = change.target.dataset?.state;
      if (change.attributeName === "data-state" && change.target.id === "live" && state !== feed) say(`feed ${(feed = state)}`);
      for (const node of change.addedNodes) if (node.className === "toast") say(node.textContent);
    }
  }).observe(document, { childList: true, subtree: true, attributes: true, attributeFilter: ["data-state"] });
}"""

SignIn = Callable[..., Page]

expect.set_options(timeout=15_000)


@pytest.fixture(scope="session")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """Web, stream and picture on a seeded database. Other roles are a journey's own matter: ``house.start(...)``."""
    made = House(tmp_path_factory.mktemp("house"))
    try:
        made.prepare()
        made.start("web", "stream", "picture")
        yield made
    finally:
        made.stop()


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """The installed Chromium, headless. It ends with the journeys: while it lives its loop runs in the thread of the tests."""
    path = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    if path is None:
        if os.environ.get("CI") == "true":
            pytest.fail("No browser: install chromium.")
        pytest.skip("No browser: install chromium.")
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield launched
        launched.close()


@pytest.fixture
def sign_in(house: House, browser: Browser, tmp_path: Path) -> Iterator[SignIn]:
    """``sign_in("a.khan", color_scheme="dark")`` gives the desk of that person in a browser of their own.

    At the end of the test no page may have thrown, broken the content policy or held an id twice.
    """
    contexts: list[BrowserContext] = []
    pages: list[Page] = []
    wrongs: list[str] = []

    def enter(username: str, *, path: str = "/desk", **options: object) -> Page:
        context = browser.new_context(viewport={"width": 1600, "height": 900}, **options)  # type: ignore[arg-type]
        context.set_default_timeout(15_000)
        context.add_init_script(f"({TOLD})()")
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: wrongs.append(f"page error: {error}"))
        page.on("console", lambda message: _listen(message.text, wrongs))
        page.goto(f"{house.url}/sign-in?next={path}")
        page.fill("#id_username", username)
        page.fill("#id_password", house.password_of(username))
        page.keyboard.press("Enter")
        page.wait_for_url(f"{house.url}{path}")
        pages.append(page)
        return page

    yield enter
    for page in pages:
        print(page.url, "told:", *page.evaluate("window.toldHere"), sep="\n  ")  # shown where the test has failed
        wrongs += [f"id twice: {name}" for name in page.evaluate(DUPLICATE_IDS)]
        wrongs += [f"inline handler: {text}" for text in page.evaluate(INLINE)]
    for context in contexts:
        context.close()
    assert wrongs == []


def _listen(text: str, wrongs: list[str]) -> None:
    if "Content Security Policy" in text or "SyntaxError" in text or "TypeError" in text:
        wrongs.append(text)


BEHIND = ("simulator", "relay", "inbox", "gateway-SIM1")


@pytest.fixture(scope="module")
def trading_house(house: House) -> Iterator[House]:
    """The house with everything between the order and the venue."""
    house.start(*BEHIND)
    try:
        wait_until(
            lambda: house.sql("SELECT 1 FROM venues_fixsession WHERE name = 'SIM1-A' AND state = 'logged_on'"),
            seconds=60,
            what="SIM1-A logged on",
        )
        yield house
    finally:
        for role in BEHIND:
            house.end(role)
