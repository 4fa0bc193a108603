"""The limits page in the hands of who asks and who decides: closeness in words, the orders behind it, the effect, the question."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from authorisation.domain.principal import Principal
from authorisation.models import AuthorisationRequest, User
from kernel.ids import new_id
from orders.services.capture_order import capture_order
from risk.models import Limit
from tests.factories import AT, DeskWorld, make_desk, make_principal, set_mark, terms

pytestmark = pytest.mark.django_db
ASK = {"scope": "firm", "kind": "open_notional", "hard": "2k", "warn": "1,500", "owner": "risk", "reason": "Busy"}


@pytest.fixture
def world() -> DeskWorld:
    return make_desk()


def signed_in(actor: Principal) -> Client:
    client = Client()
    client.force_login(User.objects.get(pk=actor.user_id))
    return client


@pytest.fixture
def risk(world: DeskWorld) -> Client:
    rights = ("ask_risk_change", "decide_risk_change")
    return signed_in(
        make_principal("riskier", role="riskier", rights=rights, desks=(world.desk,), groups=(world.group,))
    )


def text(client: Client, path: str, data: dict[str, Any] | None = None, *, status: int = 200) -> str:
    answer = client.get(path) if data is None else client.post(path, data, headers={"HX-Request": "true"})
    assert answer.status_code == status, answer.content.decode()
    return answer.content.decode()


def test_closeness_is_said_in_words_and_leads_to_the_orders(world: DeskWorld, risk: Client) -> None:
    mark = set_mark("open_notional", "1000", warn="700", scope="desk", scope_id=world.desk.pk)
    result = capture_order(
        actor=world.dealer, at=AT, idempotency_key=str(new_id()), route="ticket", terms=terms(world), source="api"
    )
    page = text(risk, "/risk/limits")
    assert "desk EQ1" in page
    assert "72%" in page
    assert "(725 of 1,000 GBP)" in page
    assert "above the warning" in page
    assert '<td class="depth-1">desk EQ1</td>' in text(risk, "/risk/limits?part=1&view=tree")
    detail = text(risk, f"/risk/limits/{mark.pk}")
    assert result.ref in detail
    assert "725.00" in detail


def test_the_effect_is_shown_before_and_the_question_waits(risk: Client) -> None:
    set_mark("open_notional", "4000")
    effect = text(risk, "/risk/limits/preview", ASK)
    assert "4,000" in effect
    assert "2,000" in effect
    assert "waits for a second person" in text(risk, "/risk/limits/ask", ASK)
    asked = AuthorisationRequest.objects.get()
    assert (asked.kind, asked.payload["hard"], asked.payload["warn"]) == ("limit_change", "2000", "1500")
    assert Limit.objects.get(kind="open_notional").hard == Decimal(4000)
    assert "change waits" in text(risk, "/risk/limits")


def test_what_is_wrong_is_named_and_nothing_is_asked(risk: Client) -> None:
    assert "is not a number" in text(risk, "/risk/limits/preview", ASK | {"hard": "lots"})
    assert "warning lies" in text(risk, "/risk/limits/ask", ASK | {"warn": "9k"}, status=400)
    assert not AuthorisationRequest.objects.exists()


def test_a_dealer_reads_and_may_not_ask(world: DeskWorld) -> None:
    dealer = signed_in(world.dealer)
    assert "Your role may not ask for changes of limits." in text(dealer, "/risk/limits")
    text(dealer, "/risk/limits/ask", ASK, status=403)


def test_a_checker_sees_the_effect_of_now_on_the_approvals_page(world: DeskWorld, risk: Client) -> None:
    set_mark("open_notional", "4000")
    text(risk, "/risk/limits/ask", ASK)
    checker = signed_in(make_principal("second", role="second", rights=("decide_risk_change",), desks=(world.desk,)))
    page = text(checker, f"/approvals/{AuthorisationRequest.objects.get().pk}")
    assert "Used of it" in page
    assert "set 2,000" in page
