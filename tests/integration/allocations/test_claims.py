"""An instrument's action between trade and settlement: what accounts have, what is claimed of whom, what a venue states anew."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from functools import partial
from typing import Any
from unittest.mock import patch
from uuid import UUID

import pytest
from django.db import DatabaseError, connection, transaction
from django.test import Client

from accounts.models import Booking, Holding
from accounts.selectors import list_suspense_accounts
from allocations.models import Allocation, Block, Claim, SettlementInstruction
from allocations.selectors.claims import list_claims, page_of_claims
from allocations.services._acting import Acted
from allocations.services._on_one_instruction import NotPossible
from allocations.services.act_on_claim import act_on_claim
from allocations.services.cascade_blocks import cascade_blocks
from allocations.services.transform_instructions import transform_instructions
from allocations.services.watch_claims import watch_claims
from authorisation.domain.principal import Principal
from authorisation.models import AuthorisationRequest, User
from authorisation.selectors import get_request
from journal.models import Event
from kernel.errors import Conflict, NotFound, OmsError
from kernel.fix import ExecType, OrdStatus
from operations.approving import KINDS
from operations.views import settlement
from orders.models import Execution, Order
from orders.services.watch_restated import watch_restated
from reconciliation.models import Break
from reconciliation.selectors.claim_entries import entries_for_claims
from tests.factories import make_principal
from tests.factories.breaks import make_break
from tests.factories.chain import Chain
from tests.factories.chain_parts import Placed
from tests.factories.chain_world import chain_world
from tests.factories.doors import issue_token

pytestmark = pytest.mark.django_db
D = Decimal


def bought(chain: Chain, qty: int = 1000, parts: tuple[str, str, str] = ("500", "300", "200")) -> Placed:
    """C1, C2 and C3 got their parts of ``qty`` at 72.40 pence."""
    placed = chain.order(1 if qty == 1000 else 0, qty)
    chain.fill(placed, qty, "72.40")
    chain.relay()
    block = Block.objects.select_related("listing").get()
    chain.book(
        block,
        "pro_rata",
        [{"account": code, "target": part} for code, part in zip(("C1", "C2", "C3"), parts, strict=True)],
    )
    chain.relay()
    return placed


def row(code: str) -> SettlementInstruction:
    return SettlementInstruction.objects.exclude(state="canceled").get(account__code=code, delivery="RECE")


def units(chain: Chain) -> list[Decimal]:
    rows = Holding.objects.filter(
        account__code__in=["C1", "C2", "C3", "WASH"], instrument_id=chain.listings["VOD.L"].instrument_id
    )
    return [one.settled + one.pending for one in rows.order_by("account__code")]


def dividends(chain: Chain) -> dict[str, Decimal]:
    names = {account.id: code for code, account in chain.accounts.items()}
    found: dict[str, Decimal] = {}
    for account_id, amount in Booking.objects.filter(kind="dividend", layer="pending").values_list(
        "account_id", "amount"
    ):
        found[names[account_id]] = found.get(names[account_id], D(0)) + amount
    return found


def said(kind: str) -> list[tuple[str, str]]:
    rows = Event.objects.filter(kind__startswith="Anomaly", payload__kind=kind).order_by("position")
    return [(one.kind.removeprefix("Anomaly"), one.payload["sentence"].partition(": ")[2]) for one in rows]


def test_a_dividend_is_claimed_for_what_had_not_settled_by_the_record_date_and_follows_a_bust() -> None:
    chain = chain_world()
    with connection.cursor() as cursor:  # C3 is 10000: claims follow the numbers of trades, not their letters
        cursor.execute("SELECT setval('allocations_allocation_number', 9997)")
    bought(chain)
    chain.action("cash_dividend")  # ex on the 23rd, of record on the 24th, 0.05 a share
    chain.night()
    chain.actions()
    assert dividends(chain) == {"C1": D(275), "C2": D(265), "C3": D(260), "WASH": D(250)}
    assert watch_claims(at=chain.now) == 0
    chain.night()
    chain.custodian(row("C1"), "settled", D(500))
    chain.custodian(row("C2"), "settled", D(100))
    chain.night()
    assert (watch_claims(at=chain.now), watch_claims(at=chain.now)) == (1, 1)
    ((word, sentence),) = said("MARKET_CLAIM")
    assert word == "Raised"
    assert "400 units to come and 0 to go had not settled by the record date" in sentence
    assert sentence.endswith("claim 20 GBP from by-hand and expect to pay 0.")

    chain.bust(chain.said[0])  # nothing was bought: nobody is entitled to anything of it, settled or not
    chain.relay()
    assert dividends(chain) == {"C1": D(250), "C2": D(250), "C3": D(250), "WASH": D(250)}
    assert units(chain) == [D(5000)] * 4
    chain.prove()
    # C1 gives 500 back and C2 300 of which 200 never came: what went is owed with its dividend, what is to come still brings it.
    watch_claims(at=chain.now)
    _, sentence = said("MARKET_CLAIM")[-1]
    assert "200 units to come and 800 to go" in sentence
    assert sentence.endswith("claim 10 GBP from by-hand and expect to pay 40.")
    chain.fsck()
    chain.pay()
    chain.actions()
    assert watch_claims(at=chain.now) == 1
    rows = {one.number: one for one in Claim.objects.order_by("number")}
    first = min(rows)
    assert [(one.account.code, one.state, one.units, one.amount) for one in rows.values()] == [
        ("C2", "raised", D(200), D(10)), ("C3", "withdrawn", D(200), D(10)), ("C1", "raised", D(-500), D(-25)),
        ("C2", "raised", D(-300), D(-15)),
    ]  # fmt: skip
    # The issuer paid all of it to us, but for what had not settled: C2's 10 come from the other side, 25 and 15 go there.
    assert dividend_cash(chain) == {"C1": (D(275), D(-25)), "C2": (D(255), D(-5)), "C3": (D(250), D(0))}
    chain.prove()
    chain.fsck()

    refused: list[tuple[dict[str, str], str]] = [
        ({"step": "sell"}, "CLAIM_STEP_INVALID"), ({"step": "pay", "paid_on": "2027-01-01", "reference": "B"}, "CLAIM_STEP_INVALID"),
        ({"step": "pay", "paid_on": "2026-11-25", "reference": ""}, "CLAIM_STEP_INVALID"),
    ]  # fmt: skip
    for asked, code in refused:
        with pytest.raises(OmsError) as caught:
            claim_step(chain, f"MC-{first}", **asked)
        assert caught.value.code == code
    with pytest.raises(NotFound):
        claim_step(chain, "MC-999999", step="agree")
    assert claim_step(chain, f"MC-{first}", step="agree").sentence == f"MC-{first} is agreed."
    assert claim_step(chain, f"MC-{first}", step="dispute").sentence == f"MC-{first} is disputed."
    paid = {"step": "pay", "paid_on": "2026-11-25", "reference": "BANK-1"}
    waiting = claim_step(chain, f"MC-{first}", **paid).authorisation_id
    with pytest.raises(Conflict, match="waits for a second person already"):
        claim_step(chain, f"MC-{first}", step="write_off")
    assert Claim.objects.get(number=first).state == "disputed"
    assert approve(chain, waiting) == "applied"
    assert dividend_cash(chain)["C2"] == (D(265), D(-15))
    with pytest.raises(NotPossible):
        claim_step(chain, f"MC-{first}", step="dispute")
    given_up = claim_step(chain, f"MC-{first + 3}", step="write_off").authorisation_id
    assert approve(chain, given_up) == "applied"
    assert dividend_cash(chain) == {"C1": (D(275), D(-25)), "C2": (D(250), D(0)), "C3": (D(250), D(0))}
    assert Booking.objects.get(kind="claim", account_id__in=list_suspense_accounts()).amount == D(15)
    stale = claim_step(chain, f"MC-{first + 2}", **paid | {"reference": "BANK-2"}).authorisation_id
    Claim.objects.filter(number=first + 2).update(amount=D(-20))
    assert approve(chain, stale) == "not_applied"
    watch_claims(at=chain.now)  # what is owed is what the units say, whatever stood in the row
    assert Claim.objects.get(number=first + 2).amount == D(-25)
    assert (
        approve(chain, claim_step(chain, f"MC-{first + 2}", **paid | {"reference": "BANK-3"}).authorisation_id)
        == "applied"
    )
    assert dividend_cash(chain) == {code: (D(250), D(0)) for code in ("C1", "C2", "C3")}
    assert (watch_claims(at=chain.now), said("MARKET_CLAIM")[-1][0]) == (0, "Cleared")
    chain.prove()
    chain.fsck()
    for change in ({"state": "raised"}, {"account_id": rows[first + 2].account_id, "number": 7}):
        with pytest.raises(DatabaseError), transaction.atomic():
            Claim.objects.filter(number=first).update(**change)


def test_what_was_paid_and_is_undone_afterwards_is_a_claim_the_other_way() -> None:
    chain = chain_world()
    bought(chain)
    chain.action("cash_dividend")
    chain.night()
    chain.actions()
    chain.night()
    chain.night()
    assert watch_claims(at=chain.now) == 1
    ours = Claim.objects.get(account__code="C1")
    by_page_and_api(chain, ours)
    # Paid early: money of the bank before the issuer's.
    asked = claim_step(chain, ours.ref, step="pay", paid_on="2026-11-25", reference="B1").authorisation_id
    assert (approve(chain, asked), dividend_cash(chain)["C1"]) == ("applied", (D(25), D(250)))
    chain.prove()
    chain.fsck()
    chain.pay()
    chain.actions()
    watch_claims(at=chain.now)
    assert dividend_cash(chain) == {"C1": (D(275), D(0)), "C2": (D(250), D(15)), "C3": (D(250), D(10))}
    chain.bust(chain.said[0])
    chain.relay()
    chain.actions()
    watch_claims(at=chain.now)
    assert list(Claim.objects.order_by("number").values_list("account__code", "state", "amount")) == [
        ("C1", "paid", D(25)), ("C2", "withdrawn", D(15)), ("C3", "withdrawn", D(10)), ("C1", "raised", D(-25)),
    ]  # fmt: skip
    assert dividend_cash(chain) == {"C1": (D(275), D(-25)), "C2": (D(250), D(0)), "C3": (D(250), D(0))}
    chain.prove()
    chain.fsck()


def by_page_and_api(chain: Chain, ours: Claim) -> None:
    """Somebody of operations sees it, and says that they agree; a key of the API asks, and waits for a second person."""
    actor = make_principal(
        "worker", role="worker", rights=("work_post_trade",), desks=(chain.desk.desk,), groups=(chain.desk.group,)
    )
    client = Client()
    client.force_login(User.objects.get(pk=actor.user_id), backend="django.contrib.auth.backends.ModelBackend")
    page = client.get("/settlement").content.decode()
    assert all(one in page for one in (ours.ref, "+25.00 GBP", "They agree", "Ask: paid to us", "50.00</b> to come"))
    assert "not listed" not in page
    with patch.object(settlement, "list_claims", partial(list_claims, most=1)):  # the sums are of all that are open
        short = client.get("/settlement").content.decode()
    assert all(one in short for one in ("50.00</b> to come", "3 open in GBP", "2 open ones not listed"))
    done = client.post(
        f"/settlement/claims/{ours.ref}/act", {"step": "agree", "reason": "mail", "key": "k1"}, follow=True
    )
    assert f"{ours.ref} is agreed." in done.content.decode()
    wrong = client.post(f"/settlement/claims/{ours.ref}/act", {"step": "pay", "reason": "r", "key": "k2"})
    assert (wrong.status_code, "The bank&#x27;s reference of the entry" in wrong.content.decode()) == (400, True)

    offered_by_the_bank(chain, actor, client, ours)
    issue_token(actor, "claims-token")
    api = Client(headers={"Authorization": "Bearer claims-token", "Idempotency-Key": "a1"})
    told = api.get("/api/v1/market-claims?state=open").json()["claims"]
    first = page_of_claims(actor, today=chain.now.date(), most=2)
    second = page_of_claims(actor, today=chain.now.date(), after=first.next_after, most=2)
    assert [one.row.ref for one in (*first.rows, *second.rows)] == [one["ref"] for one in told]
    assert (len(first.rows), second.next_after) == (2, "")
    assert [
        api.get(f"/api/v1/market-claims?{asked}").status_code
        for asked in ("state=gone", "after=x", "after=0.2026-11-25.x")
    ] == [400] * 3
    assert api.get("/api/v1/market-claims?state=paid").json() == {"next": None, "claims": []}
    assert [(one["ref"], one["state"], one["amount"]) for one in told if one["account"] == "C1"] == [
        (ours.ref, "agreed", "25")
    ]
    said: dict[str, str] = {"step": "dispute", "reason": "mail"}
    answers = [
        api.post(f"/api/v1/market-claims/{ours.ref}/act", said, content_type="application/json").status_code
        for _ in "ab"
    ]
    assert (answers, Event.objects.filter(kind="ClaimMoved", payload__state="disputed").count()) == ([200, 200], 1)
    refused = api.post(
        f"/api/v1/settlement-instructions/{ours.instruction.ref}/buy-in", {"step": "withdraw", "reason": "x"},
        content_type="application/json", headers={"Idempotency-Key": "b1"},
    )  # fmt: skip
    assert (refused.status_code, refused.json()["code"]) == (422, "BUY_IN_REFUSED")


def offered_by_the_bank(chain: Chain, actor: Principal, client: Client, ours: Claim) -> None:
    """An entry of the bank that we know nothing of, where it names the claim, or is of its account and amount."""
    with transaction.atomic():
        common: dict[str, Any] = {"kind": "cash", "account_id": ours.account_id, "business_date": chain.now.date()}
        theirs = {
            "currency": "GBP",
            "amount": "24.99",
            "entry_ref": "NTRF-9",
            "value_date": "2026-11-25",
            "narrative": f"DIV {ours.ref}.",
        }
        named = make_break(**common, theirs=theirs)
        alike = make_break(
            run=named.first_run, **common, theirs=theirs | {"amount": "25", "narrative": "DIV", "entry_ref": "NTRF-8"}
        )
        shown = client.get("/settlement").content.decode()
        assert all(
            one in shown for one in (f"names {ours.ref}", "0.01 GBP apart.", 'value="NTRF-9"', 'value="2026-11-25"')
        )
        assert f"/b/{named.ref}" in shown
        Break.objects.filter(pk=named.pk).update(theirs=theirs | {"narrative": f"DIV {ours.ref}0"})
        offered = entries_for_claims(actor, [ours])[ours.id]
        assert (offered.reference, offered.differs, offered.break_id) == ("NTRF-8", False, alike.id)
        Break.objects.filter(pk=alike.pk).update(theirs=theirs | {"amount": "26", "narrative": ""})
        assert entries_for_claims(actor, [ours]) == {}
        transaction.set_rollback(True)


def dividend_cash(chain: Chain) -> dict[str, tuple[Decimal, Decimal]]:
    """Settled and pending cash by client, of the action and its claims alone."""
    found: dict[str, list[Decimal]] = {code: [D(0), D(0)] for code in ("C1", "C2", "C3")}
    names = {chain.accounts[code].id: code for code in found}
    for one in Booking.objects.filter(kind__in=["dividend", "claim"], account_id__in=names):
        found[names[one.account_id]][one.layer == "pending"] += one.amount
    return {code: (settled, pending) for code, (settled, pending) in found.items()}


def claim_step(chain: Chain, ref: str, *, step: str, paid_on: str = "", reference: str = "") -> Acted:
    chain.seq += 1
    who = replace(chain.dealer, rights=frozenset({"work_post_trade"}))
    return act_on_claim(
        actor=who, at=chain.now, idempotency_key=f"c{chain.seq}", route="t", ref=ref, reason="as they said",
        said={"step": step, "paid_on": paid_on, "reference": reference},
    )  # fmt: skip


def approve(chain: Chain, request_id: UUID | None) -> str:
    assert request_id is not None
    row = AuthorisationRequest.objects.get(pk=request_id)
    kind = KINDS[row.kind]
    who = replace(chain.compliance, rights=frozenset({"decide_post_trade"}))
    assert kind.describe is not None
    assert kind.describe(who, get_request(who, row.id, at=chain.now).facts, chain.now).lines
    return str(
        kind.decide(
            actor=who, at=chain.now, authorisation_id=row.id, verdict="approve", reason_code="OTHER", reason="seen",
            payload_hash=row.payload_hash,
        ).outcome
    )  # fmt: skip


def test_what_settled_late_in_old_shares_is_owed_in_new_ones_and_a_part_of_a_share_in_money() -> None:
    chain = chain_world()
    bought(chain, 1003, ("501", "301", "201"))
    three = [row(code).qty for code in ("C1", "C2", "C3")]
    assert three == [D(501), D(301), D(201)]
    chain.action("split", ratio_new="3", ratio_old="2", fraction_px="0.90")
    chain.night()
    chain.custodian(row("C1"), "settled", D(501))  # on the ex date, in as many old shares
    chain.actions()
    chain.now += timedelta(seconds=1)
    transform_instructions(at=chain.now)
    assert watch_claims(at=chain.now) == 1
    rows = {one.account.code: one for one in Claim.objects.select_related("account", "instruction").order_by("number")}
    assert [(code, one.units, one.said, one.instruction.qty) for code, one in rows.items()] == [
        ("C1", D(501), "250 shares", D(501)), ("C2", D("0.5"), "0.45 GBP", D(451)), ("C3", D("0.5"), "0.45 GBP", D(301)),
    ]  # fmt: skip
    assert said("MARKET_CLAIM")[-1][1].endswith("0.9 GBP to come and 0 to go and 250 shares to come and 0 to go.")
    chain.fsck()
    ours = rows["C1"]
    with pytest.raises(NotPossible, match="shares are delivered"):
        claim_step(chain, ours.ref, step="write_off")
    stock = Holding.objects.filter(account=ours.account, instrument_id=chain.listings["VOD.L"].instrument_id)
    assert stock.values_list("settled", "pending").get() == (D(8001), D(250))
    asked = claim_step(chain, ours.ref, step="pay", paid_on="2026-11-23", reference="CUST-7").authorisation_id
    assert approve(chain, asked) == "applied"
    assert stock.values_list("settled", "pending").get() == (D(8251), D(0))
    asked = claim_step(chain, rows["C2"].ref, step="pay", paid_on="2026-11-23", reference="B-8").authorisation_id
    assert (approve(chain, asked), watch_claims(at=chain.now)) == ("applied", 1)
    chain.prove()
    chain.fsck()

    chain.bust(chain.said[0])  # what C1 got goes back, of before the ex date: so the shares go back too
    chain.relay()
    watch_claims(at=chain.now)
    assert Claim.objects.get(pk=rows["C3"].pk).state == "withdrawn"
    chain.prove()
    chain.fsck()


@pytest.mark.parametrize("venue_first", [True, False])
def test_what_a_venue_states_anew_for_a_split_is_counted_once_whichever_comes_first(venue_first: bool) -> None:
    """C1's share settles in old shares; then a correction and a bust, both told in new ones."""
    chain = chain_world()
    placed = bought(chain)
    chain.custodian(row("C1"), "settled", D(500))
    standing = list(Allocation.objects.order_by("number").values_list("qty", "gross", "state"))
    chain.action("split")
    if venue_first:
        stated_anew(chain, placed)
        assert units(chain) == [D(5500), D(5300), D(5200), D(5000)]
        assert (watch_restated(at=chain.now), said("EXECUTION_RESTATED")[-1][0]) == (1, "Raised")
    chain.night()
    chain.actions()
    if not venue_first:
        stated_anew(chain, placed)
    assert units(chain) == [D(11_000), D(10_600), D(10_400), D(10_000)]
    assert (cascade_blocks(at=chain.now), Block.objects.get().state) == (0, "booked")
    assert list(Allocation.objects.order_by("number").values_list("qty", "gross", "state")) == standing
    assert watch_restated(at=chain.now) == 0
    assert [word for word, _ in said("EXECUTION_RESTATED")] == (["Raised", "Cleared"] if venue_first else [])
    order, execution = Order.objects.get(), Execution.objects.get()
    assert (order.cum_qty, order.avg_px) == (D(2000), D("36.2"))
    assert (execution.effective_qty, execution.effective_px) == (D(1000), D("72.4"))
    assert execution.as_venue_says == (D(2000), D("36.2"))
    chain.prove()
    chain.fsck()

    one = chain.said[0]  # told as 1,500 at 36.20: 750 of those that were bought
    number = chain._say(
        one.order, ExecType.TRADE_CORRECT, OrdStatus.FILLED, chain.now.date(), exec_ref_id=one.ref, last_qty=D(1500),
        last_px=D("36.20"),
    )  # fmt: skip
    one.qty, one.ref = D(750), f"X{number}"
    chain.relay()
    chain.actions()
    assert units(chain) == [D(10_750), D(10_450), D(10_300), D(10_000)]
    chain.prove()
    chain.fsck()
    chain.bust(one)
    chain.relay()
    chain.actions()
    assert units(chain) == [D(10_000)] * 4
    chain.prove()
    chain.fsck()


def stated_anew(chain: Chain, placed: Placed) -> None:
    """The venue speaks of two shares for one, executed ones too."""
    values = {
        "order_qty": D(2000),
        "price": D("36.20"),
        "cum_qty": D(2000),
        "leaves_qty": D(0),
        "restatement_reason": "0",
    }
    chain._say(placed.result, ExecType.RESTATED, OrdStatus.FILLED, chain.now.date(), **values)
    chain.relay()
