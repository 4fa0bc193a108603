"""An instrument's action between trade and settlement: what accounts have, what is claimed of whom, what a venue states anew."""

from __future__ import annotations

from decimal import Decimal

import pytest

from accounts.models import Booking, Holding
from allocations.models import Allocation, Block, SettlementInstruction
from allocations.services.cascade_blocks import cascade_blocks
from allocations.services.watch_claims import watch_claims
from journal.models import Event
from kernel.fix import ExecType, OrdStatus
from orders.models import Execution, Order
from orders.services.watch_restated import watch_restated
from tests.factories.chain import Chain, Placed
from tests.factories.chain_world import chain_world

pytestmark = pytest.mark.django_db
D = Decimal


def bought(chain: Chain, qty: int = 1000) -> Placed:
    """C1, C2 and C3 got 5 : 3 : 2 of ``qty`` at 72.40 pence."""
    placed = chain.order(1, 1000)
    chain.fill(placed, qty, "72.40")
    chain.relay()
    block = Block.objects.select_related("listing").get()
    chain.book(
        block,
        "pro_rata",
        [{"account": code, "target": part} for code, part in (("C1", "500"), ("C2", "300"), ("C3", "200"))],
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
    chain.relay()
    assert watch_claims(at=chain.now) == 0
    assert said("MARKET_CLAIM")[-1][0] == "Cleared"


def test_a_split_before_settlement_says_what_is_instructed_in_old_shares_and_a_bust_takes_new_ones_back() -> None:
    chain = chain_world()
    bought(chain)
    chain.custodian(row("C1"), "settled", D(500))
    chain.action("split")
    chain.night()
    chain.actions()
    assert units(chain) == [D(11_000), D(10_600), D(10_400), D(10_000)]
    watch_claims(at=chain.now)
    assert "500 units to come and 0 to go are instructed" in said("MARKET_CLAIM")[0][1]
    assert "1000 and 0 new ones are to settle" in said("MARKET_CLAIM")[0][1]

    chain.bust(chain.said[0])
    chain.relay()
    assert units(chain) == [D(10_000)] * 4
    chain.prove()
    watch_claims(at=chain.now)
    assert "0 units to come and 500 to go" in said("MARKET_CLAIM")[-1][1]
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
