"""Coming in, staying in and confirming: a new person by a one-time link, a security key, a decision, a session ended elsewhere."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import pytest
from playwright.sync_api import Page, expect
from pyotp import TOTP

from tests.journeys import hands
from tests.journeys.conftest import SignIn
from tests.journeys.house import House
from tests.journeys.test_accessibility import scan
from tests.journeys.test_approval import approval_of, choose, queue_order

pytestmark = pytest.mark.ui
PASSWORD = "a rather long new one"
SHOTS = os.environ.get("TEST_SHOTS", "")


def shot(page: Page, name: str) -> None:
    """For eyes, when asked for."""
    if SHOTS:
        page.screenshot(path=str(Path(SHOTS) / f"{name}.png"), full_page=True)


def look(page: Page, name: str) -> None:
    """With axe, in every look, and for eyes when asked for."""
    shot(page, name)
    size = page.viewport_size
    assert scan(page, name) == []
    page.emulate_media(color_scheme="light", forced_colors="none")
    page.set_viewport_size(size or {"width": 1600, "height": 900})


def newcomer(house: House, username: str) -> str:
    """Somebody like the auditor but without password or role, and the token of a link as an administrator would make it."""
    names = [
        row[0]
        for row in house.sql(
            "SELECT column_name FROM information_schema.columns WHERE table_name = 'authorisation_user' "
            "AND column_name NOT IN ('id', 'username', 'password', 'first_name')"
        )
    ]
    columns, token = ", ".join(names), uuid4().hex
    house.sql(
        f"INSERT INTO authorisation_user (username, password, first_name, {columns}) "
        f"SELECT %s, '!', 'Nora', {columns} FROM authorisation_user WHERE username = 'l.berg'",
        username,
    )
    house.sql(
        "INSERT INTO authorisation_signinlink (id, user_id, digest, created_at, expires_at) "
        "SELECT gen_random_uuid(), id, %s, now(), now() + interval '1 hour' FROM authorisation_user WHERE username = %s",
        hashlib.sha256(token.encode()).hexdigest(),
        username,
    )
    return token


@contextmanager
def factor_of(house: House, username: str) -> Iterator[None]:
    """What the person enrols meanwhile is gone afterwards: the house is shared with other journeys."""
    try:
        yield
    finally:
        house.sql(
            "DELETE FROM authorisation_factor WHERE user_id = (SELECT id FROM authorisation_user WHERE username = %s)",
            username,
        )


def confirm_by_password(house: House, page: Page, username: str) -> None:
    page.fill("#id_password", house.password_of(username))
    page.keyboard.press("Enter")


def enrol_app(page: Page) -> str:
    """The secret of the app that the page offers, taken by its first code."""
    secret = page.locator("#letters").inner_text().replace(" ", "")
    page.fill("#id_name", "Telephone")
    page.fill("#id_code", TOTP(secret).now())
    page.get_by_role("button", name="Use this app").click()
    expect(page.locator(".codes li")).to_have_count(10)
    return secret


def forget_steps(house: House, username: str) -> None:
    """As if the code of now had not been shown yet: nobody waits half a minute here."""
    house.sql(
        "UPDATE authorisation_factor SET last_step = 0 "
        "WHERE user_id = (SELECT id FROM authorisation_user WHERE username = %s)",
        username,
    )


@pytest.mark.timeout(240)  # a busy machine: a quiet one needs a tenth
def test_a_new_person_comes_by_a_link_gets_a_second_factor_and_signs_in(house: House, sign_in: SignIn) -> None:
    page = sign_in("l.berg", path="/preferences")  # the browser with its listeners; somebody else's till now
    token = newcomer(house, "n.new")
    page.get_by_role("button", name="Sign out").click()
    page.goto(f"{house.url}/sign-in/link/{token}")
    assert token not in page.url
    expect(page.locator("h1")).to_contain_text("Welcome, Nora")
    look(page, "link")
    page.fill("#id_new", "qwertyuiop")
    page.fill("#id_again", "qwertyuiop")
    page.get_by_role("button", name="Set the password").click()
    expect(page.locator(".error").first).to_contain_text("12")
    page.fill("#id_new", PASSWORD)
    page.fill("#id_again", PASSWORD)
    page.get_by_role("button", name="Set the password").click()
    page.wait_for_url(f"{house.url}/preferences")

    page.goto(f"{house.url}/account/factors/new")
    expect(page.locator("h1")).to_have_text("Confirm that it is you")
    look(page, "step_up_password")
    page.fill("#id_password", PASSWORD)
    page.keyboard.press("Enter")
    expect(page.locator(".qr svg")).to_be_visible()
    look(page, "enrol")
    enrol_app(page)
    look(page, "codes")
    code = page.locator(".codes li").first.inner_text()
    page.get_by_role("link", name="I kept them, go on").click()
    expect(page.locator("tbody")).to_contain_text("Authenticator app")
    look(page, "factors")

    page.get_by_role("button", name="Sign out").click()
    page.fill("#id_username", "n.new")
    page.fill("#id_password", PASSWORD)
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_contain_text("Your second factor")
    look(page, "second")
    page.goto(f"{house.url}/account/sessions")
    expect(page).to_have_url(re.compile("/sign-in"))  # a right password alone opens nothing
    page.goto(f"{house.url}/sign-in/second")
    page.fill("#id_code", "000000")
    page.keyboard.press("Enter")
    expect(page.locator(".error")).to_contain_text("That was not right")
    page.fill("#id_code", code)
    page.keyboard.press("Enter")
    page.wait_for_url(f"{house.url}/preferences")
    page.goto(f"{house.url}/account/sessions")
    expect(page.locator("tbody").nth(1)).to_contain_text("Recovery code")
    look(page, "sessions")


def test_a_security_key_is_enrolled_and_signs_in(house: House, sign_in: SignIn) -> None:
    with factor_of(house, "r.silva"):
        page = sign_in("r.silva", path="/preferences")
        here = house.url.replace("127.0.0.1", "localhost")  # keys are bound to names, not to numbers
        devtools = page.context.new_cdp_session(page)
        devtools.send("WebAuthn.enable")
        key = devtools.send(
            "WebAuthn.addVirtualAuthenticator",
            {
                "options": {
                    "protocol": "ctap2",
                    "transport": "usb",
                    "hasUserVerification": True,
                    "isUserVerified": True,
                    "automaticPresenceSimulation": True,
                }
            },
        )["authenticatorId"]
        page.goto(f"{here}/sign-in?next=/account/factors/new")
        page.fill("#id_username", "r.silva")
        confirm_by_password(house, page, "r.silva")
        confirm_by_password(house, page, "r.silva")
        page.fill("#id_key_name", "Blue key")
        page.get_by_role("button", name="Use a key").click()
        expect(page.locator(".codes li")).to_have_count(10)
        page.goto(f"{here}/account/factors")
        expect(page.locator("tbody")).to_contain_text("Blue key")
        page.get_by_role("button", name="Sign out").click()

        page.fill("#id_username", "r.silva")
        confirm_by_password(house, page, "r.silva")
        page.get_by_role("button", name="Use a security key or passkey").click()
        page.wait_for_url(re.compile("/(desk|approvals|preferences)$"))
        counts = house.sql("SELECT sign_count FROM authorisation_factor WHERE name = 'Blue key'")
        assert counts[0][0] > 1

        # a key that counts backwards may have a copy
        house.sql("UPDATE authorisation_factor SET sign_count = 1000 WHERE name = 'Blue key'")
        page.goto(f"{here}/preferences")
        page.get_by_role("button", name="Sign out").click()
        page.fill("#id_username", "r.silva")
        confirm_by_password(house, page, "r.silva")
        page.get_by_role("button", name="Use a security key or passkey").click()
        expect(page.locator(".error").first).to_contain_text("That was not right")
        raised = house.sql("SELECT count(*) FROM journal_event WHERE payload->>'kind' = 'AUTHENTICATOR_COPIED'")
        assert raised == [(1,)]

        # nor one that does not verify who holds it
        house.sql("UPDATE authorisation_factor SET sign_count = 0 WHERE name = 'Blue key'")
        devtools.send("WebAuthn.setUserVerified", {"authenticatorId": key, "isUserVerified": False})
        page.get_by_role("button", name="Use a security key or passkey").click()
        expect(page.locator("[data-key-said]")).to_contain_text("did not answer")


def test_a_decision_asks_for_the_second_factor_beside_what_is_typed(house: House, sign_in: SignIn) -> None:
    with factor_of(house, "d.okoro"):
        _, ref = queue_order(house, sign_in, "1,350")
        house.fresh_prices()
        page = sign_in("d.okoro", path="/account/factors/new")
        confirm_by_password(house, page, "d.okoro")
        secret = enrol_app(page)
        house.sql(
            "DELETE FROM authorisation_session WHERE user_id = (SELECT id FROM authorisation_user WHERE username = 'd.okoro')"
        )
        forget_steps(house, "d.okoro")
        page.goto(f"{house.url}/sign-in?next=/approvals")
        page.fill("#id_username", "d.okoro")
        confirm_by_password(house, page, "d.okoro")
        page.fill("#id_code", TOTP(secret).now())
        page.keyboard.press("Enter")
        page.wait_for_url(f"{house.url}/approvals")
        choose(page, ref)
        page.fill("#d-reason", "as the client said")
        page.locator("#d-reason").evaluate("box => box.blur()")
        page.locator(".decide [data-primary]").focus()
        page.keyboard.press("a")
        page.keyboard.press("Control+Enter")
        dialog = page.locator("#step-up")
        expect(dialog).to_be_visible()
        shot(page, "step_up_dialog")
        assert approval_of(house, ref)[1] in ("pending", "claimed")
        forget_steps(house, "d.okoro")
        page.fill("#step-up #id_code", TOTP(secret).now())
        page.keyboard.press("Enter")
        expect(dialog).to_be_hidden()
        expect(page.locator("#d-reason")).to_have_value("as the client said")
        assert approval_of(house, ref)[1] in ("pending", "claimed")
        page.locator(".decide [data-primary]").focus()
        hands.approve(page)
        assert approval_of(house, ref)[1] == "approved"


def test_a_session_ended_elsewhere_is_signed_out_here(house: House, sign_in: SignIn) -> None:
    here = sign_in("h.lind", path="/account/sessions", color_scheme="dark")
    there = sign_in("h.lind", path="/preferences")
    here.reload()
    shot(here, "sessions_dark")
    others = here.locator("tr", has=here.get_by_role("button", name="End it"))
    expect(others).to_have_count(1)
    here.get_by_role("button", name="End it").click()
    expect(others).to_have_count(0)
    there.goto(f"{house.url}/preferences")
    expect(there).to_have_url(re.compile("/sign-in"))
    here.goto(f"{house.url}/account/sessions")
    expect(here.locator("tbody").nth(1)).to_contain_text("Session ended")
