"""The pages of corporate actions: entered with slips named, asked, approved on the approvals page, taken back, loaded from a file."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from authorisation.models import AuthorisationRequest, User
from kernel.clock import utc_now
from orders.services.apply_corporate_actions import apply_corporate_actions
from refdata.models import CorporateAction, CorporateActionVersion
from tests.factories import DeskWorld, give_stock, make_desk, set_price
from tests.factories.actions import clerk
from tests.factories.approvals import decide_as_shown
from tests.factories.books import book_openings

pytestmark = pytest.mark.django_db
URL = "/corporate-actions"


@pytest.fixture
def world() -> DeskWorld:
    world = make_desk()
    give_stock(world.account, world.listing, "5000")
    book_openings(at=utc_now() - timedelta(days=3))
    set_price(world.listing, "72.50", at=utc_now() - timedelta(days=3))
    return world


def signed_in(username: str) -> Client:
    clerk(username)
    client = Client()
    client.force_login(User.objects.get(username=username))
    return client


def notice(**changes: str) -> dict[str, str]:
    today = utc_now().date().isoformat()
    values = {"symbol": "vod.l", "source": "AGENT", "reference": "1", "kind": "split", "ex_date": today, "ratio_new": "2",
              "ratio_old": "1", "fractions": "down"}  # fmt: skip
    return values | changes


def enter(client: Client, **changes: str) -> UUID:
    answer = client.post(f"{URL}/new", notice(**changes))
    assert answer.status_code == 302, answer.content
    return UUID(answer["Location"].rsplit("/", 1)[1])


def decide(client: Client, request: AuthorisationRequest) -> Any:
    return decide_as_shown(client, request.id)


def test_a_slip_is_named_beside_its_field_and_nothing_typed_is_lost(world: DeskWorld) -> None:
    client = signed_in("clerk")
    answer = client.post(f"{URL}/new", notice(ratio_old="x", symbol="NOPE.L"))
    assert answer.status_code == 400
    assert b"is not a number above zero" in answer.content
    assert b'value="NOPE.L"' in answer.content
    assert b"No listing is called" in client.post(f"{URL}/new", notice(symbol="NOPE.L")).content
    assert CorporateAction.objects.count() == 0


def test_from_the_form_to_the_booking_and_back(world: DeskWorld) -> None:
    client, second = signed_in("clerk"), signed_in("second")
    action_id = enter(client)
    assert b"Ask to apply" in client.get(f"{URL}/{action_id}").content
    assert client.post(f"{URL}/{action_id}/ask", {"decision": "apply", "reason": "agent"}).status_code == 302
    request = AuthorisationRequest.objects.get(state="pending")
    assert b"it waits for a second person" in client.get(f"{URL}/{action_id}").content

    shown = second.get(f"/approvals/{request.id}").content.decode()
    assert all(text in shown for text in ("Shares held long", "10,000", "36.25 GBX", "Approve: apply on "))
    assert decide(second, request).status_code == 200
    at = utc_now()
    for seconds in (0, 6, 12):
        apply_corporate_actions(at=at + timedelta(seconds=seconds))
    page = client.get(f"{URL}/{action_id}").content.decode()
    assert "Ask to take it back" in page
    assert str(CorporateAction.objects.get(id=action_id).state) == "applied"

    client.post(f"{URL}/{action_id}/ask", {"decision": "undo", "reason": "wrong ratio"})
    assert decide(second, AuthorisationRequest.objects.get(state="pending")).status_code == 200
    for seconds in (20, 30):
        apply_corporate_actions(at=at + timedelta(seconds=seconds))
    assert str(CorporateAction.objects.get(id=action_id).state) == "undone"
    assert b"it is over" in client.get(f"{URL}/{action_id}").content
    assert action_id.hex[:8] in client.get(f"{URL}?view=done").content.decode()


def test_accounts_that_were_not_granted_are_counted_and_not_named(world: DeskWorld) -> None:
    action_id = enter(signed_in("clerk"))
    stranger = signed_in("clerk").get(f"{URL}/{action_id}").content.decode()
    assert world.account.code not in stranger
    assert "1 accounts and 0 orders you may not see" in stranger
    dealer = Client()
    dealer.force_login(User.objects.get(pk=world.dealer.user_id))
    seen = dealer.get(f"{URL}/{action_id}").content.decode()
    assert world.account.code in seen
    assert "+5,000" in seen
    assert '<td class="num strong">10,000</td>' in seen
    assert "Your role may not enter corporate actions." in seen


def test_a_correction_and_a_call_off(world: DeskWorld) -> None:
    client = signed_in("clerk")
    action_id = enter(client)
    wrong = client.post(f"{URL}/{action_id}/correct", notice(ratio_new="0.5", reason="typing error"))
    assert (wrong.status_code, b"A split makes more shares of fewer" in wrong.content) == (400, True)
    assert client.post(f"{URL}/{action_id}/correct", notice(ratio_new="3", reason="typing error")).status_code == 302
    assert CorporateActionVersion.objects.count() == 2
    assert client.post(f"{URL}/{action_id}/cancel", {"reason": "withdrawn"}).status_code == 302
    assert str(CorporateAction.objects.get().state) == "canceled"


def test_a_file_says_what_it_took_row_by_row(world: DeskWorld) -> None:
    client = signed_in("clerk")
    lines = ["source,reference,symbol,kind,ex_date,ratio_new,ratio_old,fractions",
             "AGENT,1,VOD.L,split,2026-12-01,2,1,down", "AGENT,2,VOD.L,split,2026-12-01,2,,down"]  # fmt: skip
    file = SimpleUploadedFile("notices.csv", "\n".join(lines).encode())
    page = client.post(f"{URL}/load", {"file": file}).content.decode()
    assert "1 added, 0 corrected, 0 known, 1 not taken" in page
    assert "A split needs both sides of its ratio." in page
    missing = SimpleUploadedFile("notices.csv", b"source,reference\nA,1\n")
    assert "The header lacks symbol, kind, ex_date." in client.post(f"{URL}/load", {"file": missing}).content.decode()
    assert client.post(f"{URL}/load", {"file": SimpleUploadedFile("x.csv", b"\xff\xfe")}).status_code == 400
