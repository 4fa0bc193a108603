"""A second person releases what the maker cannot release, and sees the effect before doing so."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.conftest import SignIn
from tests.journeys.hands import approve, commit, hold_back
from tests.journeys.house import House, wait_until

pytestmark = pytest.mark.ui


@pytest.fixture
def low_mark(house: House) -> Iterator[None]:
    """Anything above 1,000 needs a second person, until the test is over: other journeys trade in the same house."""
    before = house.sql("SELECT id, warn FROM risk_limit WHERE kind = 'order_qty' AND scope = 'firm'")
    house.sql("UPDATE risk_limit SET warn = 1000 WHERE kind = 'order_qty' AND scope = 'firm'")
    yield
    for limit_id, warn in before:
        house.sql("UPDATE risk_limit SET warn = %s WHERE id = %s", warn, limit_id)


def redraw(page: Page) -> None:
    """The open item is drawn anew, as it is every few seconds."""
    with page.expect_response("**/approvals/*?part=1*"):
        page.evaluate("document.getElementById('approval-item').dispatchEvent(new CustomEvent('oms:refresh'))")


def queue_order(house: House, sign_in: SignIn, qty: str) -> tuple[Page, str]:
    """An order that needs a second person, because its price is old; the maker's page and the order's reference."""
    house.sql("UPDATE refdata_referenceprice SET priced_at = now() - interval '5 minutes'")
    page = sign_in("a.khan", path="/o/new")
    expect(page.locator("#live b")).to_contain_text("Live")
    page.fill("#t-symbol", "VOD.L")
    page.fill("#t-qty", qty)
    page.fill("#t-price", "72.34")
    page.fill("#t-account", "AC4480")
    try:
        expect(page.locator("#ticket [data-primary]")).to_contain_text("Queue BUY")
    except AssertionError as missing:  # its warnings and refusals say why it may be sent alone, or not at all
        raise AssertionError(page.inner_text("#ticket")) from missing
    commit(page, page.locator("#ticket-title"), "Queued")
    return page, page.locator("#ticket-ref").inner_text()


def choose(checker: Page, ref: str) -> None:
    """Open an item and wait for its detail, whichever way it comes: drawn in, or as the page the link leads to."""
    checker.locator("#approval-list a", has_text=ref).click()
    expect(checker.locator("#approval-detail header")).to_contain_text(ref)
    # What is open already is drawn anew, and disarmed, when the answer comes: a person sees that, a script waits for it.
    expect(checker.locator("#approval-list .htmx-request")).to_have_count(0)
    checker.wait_for_timeout(100)


def approval_of(house: House, ref: str) -> tuple[Any, ...]:
    return house.sql(
        "SELECT a.id, a.state, a.payload_hash FROM authorisation_authorisationrequest a JOIN orders_orderrequest r "
        "ON r.id::text = a.subject_id JOIN orders_order o ON o.id = r.order_id WHERE o.ref = %s",
        ref,
    )[0]


def test_the_maker_cannot_and_the_checker_can(house: House, sign_in: SignIn) -> None:
    maker, ref = queue_order(house, sign_in, "1,300")
    approval = approval_of(house, ref)
    maker.goto(f"{house.url}/approvals?view=raised&id={approval[0]}")
    expect(maker.locator(".decide [data-primary]")).to_have_attribute("aria-disabled", "true")
    expect(maker.locator(".decide")).to_contain_text("You are the maker")
    status = maker.evaluate(
        """async ([address, hash]) => (await fetch(address, {method: 'POST', headers: {'HX-Request': 'true',
        'X-CSRFToken': JSON.parse(document.body.getAttribute('hx-headers'))['X-CSRFToken'],
        'Content-Type': 'application/x-www-form-urlencoded'},
        body: new URLSearchParams({verdict: 'approve', payload_hash: hash})})).status""",
        [f"{house.url}/approvals/{approval[0]}/decide", approval[2]],
    )
    assert status == 403
    assert approval_of(house, ref)[1] == "pending"

    house.fresh_prices()
    checker = sign_in("m.ruiz", path="/approvals")
    choose(checker, ref)
    expect(checker.locator("#effect")).to_contain_text("1,300 VOD.L @ 72.34 GBX")
    expect(checker.locator(".decide [data-primary]")).to_contain_text("Approve: 1,300 @ 72.34, 940.42 GBP")
    checker.keyboard.press("Control+Enter")  # nothing is armed: nothing happens
    checker.keyboard.press("a")
    expect(checker.locator("#armed")).to_contain_text("Armed: approve")
    assert approval_of(house, ref)[1] == "pending"
    commit(checker, checker.locator("#decided"), "Approved and applied")
    assert approval_of(house, ref)[1] == "approved"
    assert house.sql("SELECT request_state FROM orders_order WHERE ref = %s", ref) == [("released",)]


def test_declining_needs_a_reason(house: House, sign_in: SignIn) -> None:
    _, ref = queue_order(house, sign_in, "1,400")
    checker = sign_in("m.ruiz", path="/approvals")
    choose(checker, ref)
    expect(checker.locator("#effect")).to_contain_text("1,400")
    held = hold_back(checker, "**/decide")
    checker.locator("[data-decline]").click()
    redraw(checker)  # while the decision is under way
    wait_until(lambda: checker.evaluate("true") and held, seconds=15, what="the decision held back")
    held[0].continue_()
    expect(checker.locator("#form-error")).to_contain_text("Choose why it is declined.")
    redraw(checker)
    expect(checker.locator("#form-error")).to_contain_text("Choose why it is declined.")
    assert approval_of(house, ref)[1] == "pending"
    checker.select_option("#d-code", "MANDATE")
    checker.fill("#d-reason", "The mandate does not allow it.")
    checker.locator("[data-decline]").click()
    expect(checker.locator("#decided")).to_contain_text("Declined")
    assert approval_of(house, ref)[1] == "declined"
    assert house.sql("SELECT request_state, is_open FROM orders_order WHERE ref = %s", ref) == [("declined", False)]


def test_what_moved_disarms_and_must_be_reviewed(low_mark: None, house: House, sign_in: SignIn) -> None:
    """The price gets old while the checker types: buttons off, what is typed stays, the changed line is marked."""
    maker = sign_in("a.khan", path="/o/new")
    house.fresh_prices()
    type_ticket(maker, "1,500")
    ref = maker.locator("#ticket-ref").inner_text()
    checker = sign_in("m.ruiz", path="/approvals", color_scheme="dark")
    choose(checker, ref)
    checker.keyboard.press("a")
    expect(checker.locator("#armed")).to_contain_text("Armed: approve")
    checker.fill("#d-reason", "Client called at")
    checker.select_option("#d-code", "PRICE")
    house.sql("UPDATE refdata_referenceprice SET priced_at = now() - interval '5 minutes'")
    redraw(checker)
    expect(checker.locator("#review-changes")).to_contain_text("Review 2 changes")
    expect(checker.locator("#d-approve")).to_have_attribute("aria-disabled", "true")
    expect(checker.locator("#armed")).to_have_text("")
    expect(checker.locator("#d-reason")).to_have_value("Client called at")
    expect(checker.locator("#d-code")).to_have_value("PRICE")
    checker.locator("#review-changes").click()
    expect(checker.locator("b.moved").first).to_be_visible()
    expect(checker.locator("#d-approve")).not_to_have_attribute("aria-disabled", "true")
    house.fresh_prices()
    checker.locator("#approval-list a", has_text=ref).focus()
    checker.keyboard.press("c")
    expect(checker.locator("#claim-state")).to_contain_text("You look at it")
    approve(checker)


def test_a_question_goes_back_and_its_answer_is_the_next_version(low_mark: None, house: House, sign_in: SignIn) -> None:
    maker = sign_in("a.khan", path="/o/new")
    house.fresh_prices()
    type_ticket(maker, "1,600")
    ref = maker.locator("#ticket-ref").inner_text()
    checker = sign_in("m.ruiz", path="/approvals")
    choose(checker, ref)
    checker.fill("#d-reason", "Which client called?")
    checker.locator("#approval-list a", has_text=ref).click()  # opened again: what is typed stays
    expect(checker.locator("#d-reason")).to_have_value("Which client called?")
    checker.locator("#d-ask").hover()
    checker.mouse.down()
    with checker.expect_response(lambda answer: "/approvals/" in answer.url and "part=1" in answer.url):
        checker.evaluate("document.getElementById('approval-item').dispatchEvent(new CustomEvent('oms:refresh'))")
    checker.wait_for_timeout(200)
    checker.mouse.up()  # on the button it was pressed on, though the item was to be drawn anew meanwhile
    expect(checker.locator("#told")).to_contain_text("It waits for its maker")
    approval = approval_of(house, ref)
    maker.goto(f"{house.url}/approvals?view=raised&id={approval[0]}")
    expect(maker.locator("#question")).to_contain_text("Which client called?")
    maker.fill("#o-answer", "Smith, at 09:37")
    maker.keyboard.press("Control+Enter")
    expect(maker.locator("#told")).to_contain_text("The next version waits")
    choose(checker, ref)
    expect(checker.locator("#answered")).to_contain_text("Smith, at 09:37")
    approve(checker)


def test_two_are_approved_together_after_typing_the_count(low_mark: None, house: House, sign_in: SignIn) -> None:
    refs = []
    for qty in ("1,700", "1,800"):
        maker = sign_in("a.khan", path="/o/new")
        house.fresh_prices()
        type_ticket(maker, qty)
        refs.append(maker.locator("#ticket-ref").inner_text())
    checker = sign_in("m.ruiz", path="/approvals")
    for ref in refs:
        checker.locator("#approval-list tr", has_text=ref).locator("[data-together]").check()
    house.fresh_prices()
    checker.locator("#together").click()
    expect(checker.locator("#effect")).to_contain_text("2 release requests")
    checker.fill("#t-count", "2")
    checker.keyboard.press("Enter")
    expect(checker.locator("h1")).to_have_text("2 of 2 approved")
    assert [approval_of(house, ref)[1] for ref in refs] == ["approved", "approved"]


def type_ticket(page: Page, qty: str) -> None:
    """Send an order that is above what one may send alone."""
    expect(page.locator("#live b")).to_contain_text("Live")
    page.fill("#t-symbol", "VOD.L")
    page.fill("#t-qty", qty)
    page.fill("#t-price", "72.34")
    page.fill("#t-account", "AC4480")
    expect(page.locator("#ticket [data-primary]")).to_contain_text("Queue BUY")
    commit(page, page.locator("#ticket-title"), "Queued")
