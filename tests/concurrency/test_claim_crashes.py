"""Market claims where processes die and people decide at once: a claim, its event and its money are one."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal as D

import pytest

from accounts.models import Booking
from allocations.models import Claim, SettlementInstruction
from allocations.services.transform_instructions import transform_instructions
from allocations.services.watch_claims import watch_claims
from authorisation.models import AuthorisationRequest
from journal.models import Event
from kernel.errors import OmsError
from tests.concurrency.test_captures import at_once
from tests.concurrency.test_crash_points import killed_at
from tests.factories.chain_world import chain_world
from tests.integration.allocations.test_claims import approve, bought, claim_step, dividend_cash

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_claim_its_event_and_its_money_are_one_whoever_dies_and_whoever_comes_at_once() -> None:
    chain = chain_world()
    bought(chain)
    chain.action("cash_dividend")
    chain.night()
    chain.actions()
    chain.night(2)
    chain.pay()
    chain.actions()
    killed_at("claims.kept", lambda: watch_claims(at=chain.now))
    assert (Claim.objects.count(), Event.objects.filter(kind="ClaimMoved").count()) == (0, 0)
    at_once(2, lambda _: watch_claims(at=chain.now))
    claims = list(Claim.objects.order_by("number"))
    assert [one.amount for one in claims] == [D(25), D(15), D(10)]
    assert dividend_cash(chain)["C1"] == (D(250), D(25))

    def approves(_: int) -> str:
        try:
            return approve(chain, asked)
        except OmsError as error:  # the other one was first
            return error.code

    def asks(number: int) -> str:
        try:
            done = claim_step(
                chain, claims[0].ref, step="pay", paid_on=chain.now.date().isoformat(), reference=f"B{number}"
            )
        except OmsError as error:
            return error.code
        return str(done.authorisation_id)

    answers = at_once(2, asks)
    (asked,) = AuthorisationRequest.objects.filter(subject_type="market_claim").values_list("id", flat=True)
    assert sorted(answers) == sorted(["CHANGE_PENDING", str(asked)])
    killed_at("claims.ended", lambda: approve(chain, asked))
    claims[0].refresh_from_db()
    assert (claims[0].state, dividend_cash(chain)["C1"]) == ("raised", (D(250), D(25)))
    at_once(2, approves)
    claims[0].refresh_from_db()
    assert (claims[0].state, dividend_cash(chain)["C1"]) == ("paid", (D(275), D(0)))
    assert Booking.objects.filter(kind="claim", account_id=chain.accounts["C1"].id, amount=25).count() == 2

    # A split over what is still open: canceled, instructed anew and told as one, once.
    chain.action("split")
    chain.night()
    chain.actions()
    chain.now += timedelta(seconds=1)
    killed_at("instructions.transformed", lambda: transform_instructions(at=chain.now))
    assert not SettlementInstruction.objects.filter(transforms__isnull=False).exists()
    at_once(2, lambda _: transform_instructions(at=chain.now))
    assert list(SettlementInstruction.objects.filter(state="waiting").order_by("ref").values_list("qty", "of_qty")) == [
        (D(1000), D(500)), (D(600), D(300)), (D(400), D(200)),
    ]  # fmt: skip
    assert Event.objects.filter(kind="SettlementsTransformed").count() == 1
    killed_at("fractions.booked", lambda: transform_instructions(at=chain.now))
    assert transform_instructions(at=chain.now) == 0
