"""Every page of money and risk can be used without a mouse and without eyes on it, in every role, wide and narrow."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import expect

from tests.journeys.conftest import SignIn
from tests.journeys.house import House

pytestmark = pytest.mark.ui

PAGES = (
    "/risk", "/risk/limits?id=new", "/risk/rules", "/risk/rates", "/positions", "/positions/AC4480",
    "/positions/AC4480/GBP/available", "/prices?q=VOD", "/prices/VOD.L", "/corporate-actions", "/approvals",
)  # fmt: skip
FAULTS = """() => {
  const found = [], all = (what) => [...document.querySelectorAll(what)];
  const shown = (one) => one.getClientRects().length > 0;
  const say = (why, one) => found.push(`${why}: ${one.outerHTML.replace(/\\s+/g, ' ').slice(0, 120)}`);
  for (const one of all('input:not([type=hidden]), select, textarea'))
    if (!one.labels.length && !one.getAttribute('aria-label') && !one.getAttribute('aria-labelledby')) say('no label', one);
  for (const one of all('button, a[href]'))
    if (shown(one) && !one.textContent.trim() && !one.getAttribute('aria-label')) say('no name', one);
  for (const one of all('main [aria-disabled=true]')) if (!one.dataset.why && !one.title) say('no reason', one);
  for (const one of all('th:not([scope])')) say('no scope', one);
  for (const id of ['limit-effect', 'limit-trial', 'rule-check', 'rules-said', 'ticket-preview'])
    for (const one of all(`#${id}`)) if (!one.matches('[aria-live], [role=status], [role=alert]')) say('nobody hears', one);
  for (const one of all('time')) if (!one.title.endsWith('UTC')) say('no zone', one);
  for (const head of all('thead th:not(.num)')) {
    const rows = [...head.closest('table').tBodies].flatMap((body) => [...body.rows]);
    const texts = rows.map((row) => row.cells[head.cellIndex]?.innerText.trim()).filter(Boolean);
    if (texts.length && texts.every((text) => /^[−+]?[\\d,]+(\\.\\d+)?%?$/.test(text))) say('numbers not right aligned', head);
  }
  const text = document.querySelector('main').innerText;
  for (const raw of text.match(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f-]{22}|\\b(undefined|NaN)\\b/g) || []) found.push(`raw: ${raw}`);
  const wide = document.documentElement.scrollWidth - document.documentElement.clientWidth;
  if (wide > 1) found.push(`scrolls sideways by ${wide}`);
  return found;
}"""


@pytest.mark.parametrize(
    ("person", "width", "options"),
    [
        ("s.patel", 1280, {}),
        ("r.silva", 800, {"color_scheme": "dark"}),
        ("c.young", 640, {"forced_colors": "active"}),  # 1280 at 200 %
        ("l.berg", 1280, {"color_scheme": "dark"}),
    ],
)
def test_every_page_is_labelled_named_and_fits(
    house: House, sign_in: SignIn, person: str, width: int, options: dict[str, Any]
) -> None:
    page = sign_in(person, **options)
    page.set_viewport_size({"width": width, "height": 900})
    found = []
    for path in PAGES:
        answer = page.goto(house.url + path)
        assert answer is not None
        assert answer.status == 200, path
        found += [f"{path}: {fault}" for fault in page.evaluate(FAULTS)]
    assert found == []


def test_the_keyboard_always_shows_where_it_is(house: House, sign_in: SignIn) -> None:
    page = sign_in("s.patel", path="/risk/limits")
    expect(page.locator("#limit-list tbody tr").first).to_be_visible()
    for _ in range(20):
        page.keyboard.press("Tab")
        seen = page.evaluate(
            """() => { const at = document.activeElement, style = getComputedStyle(at), box = at.getBoundingClientRect();
            return at === document.body || (style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2
              && box.bottom > 0 && box.top < innerHeight); }"""
        )
        assert seen, page.evaluate("document.activeElement.outerHTML.slice(0, 160)")
    page.locator("#limit-list").focus()
    page.keyboard.press("j")
    href = page.evaluate("document.activeElement.getAttribute('href')")
    with page.expect_response("**/risk/limits?part=1*"):
        pass  # the list draws itself anew
    page.wait_for_timeout(100)
    assert page.evaluate("document.activeElement.getAttribute('href')") == href
    expect(page.locator("#limit-list tr[aria-selected=true]")).to_have_count(1)
