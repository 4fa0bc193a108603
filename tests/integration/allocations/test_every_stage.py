"""A bust, a correction and a late trade at every stage: what every account ends with, reckoned by hand to the smallest unit.

One block is taken from stage to stage; at each what may happen happens in a savepoint. 400 at 72.40 and 600 at 72.47 pence of an order
for 1,200 are 724.42 at 72.442 on average, for C1, C2 and C3 as 5 : 3 : 2; each pays 7.00 of commission and half a per cent of duty.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from decimal import Decimal

import pytest
from django.db import transaction

from accounts.models import CashBalance, TradingAccount
from allocations.models import Allocation, Block, Confirmation, ContractNote, SettlementInstruction
from authorisation.models import AuthorisationRequest
from kernel.numbers import plain
from tests.factories.chain import Chain
from tests.factories.chain_world import chain_world

pytestmark = pytest.mark.django_db
D = Decimal
LINES = [{"account": "C1", "target": "600"}, {"account": "C2", "target": "360"}, {"account": "C3", "target": "240"}]
AFTER: dict[str, tuple[str, str, str]] = {
    "nothing": ("-371.02", "-225.42", "-152.60"),
    "bust": ("-225.50", "-138.10", "-94.39"),  # 600 at 72.47: 217.41, 130.45, 86.96
    "dearer": ("-371.22", "-225.54", "-152.68"),  # 72.482: 362.41, 217.45, 144.96
    "cheaper": ("-370.82", "-225.30", "-152.52"),  # 72.402: 362.01, 217.21, 144.80
    "fewer": ("-298.26", "-181.76", "-123.50"),  # 800 at 72.4525: 289.81, 173.89, 115.92
    "late": ("-443.83", "-269.10", "-181.73"),  # 1,200 at 72.4433: 434.66, 260.80, 173.86
}
# All of it has settled: the same units at the old price, what is missing of price and given back of charges from the error account.
SETTLED: dict[str, tuple[str, str, str, str]] = {
    "bust": (
        "-225.42",
        "-138.05",
        "-94.36",
        "-1.61",
    ),  # sells 200, 120, 80 for 144.88, 86.93, 57.95; 0.16 of price, 1.45 given back
    "dearer": ("-371.02", "-225.42", "-152.60", "-0.40"),
    "cheaper": ("-371.02", "-225.42", "-152.60", "0.40"),
    "fewer": (
        "-298.22",
        "-181.73",
        "-123.48",
        "-0.81",
    ),  # sells 100, 60, 40 for 72.44, 43.47, 28.98; 0.09 of price, 0.72 given back
    "late": ("-443.82", "-269.10", "-181.73", "-0.01"),  # buys 100, 60, 40 for 72.44, 43.47, 28.98
}
DIRECT = {"bust": "-443.99", "dearer": "-735.44", "fewer": "-589.52", "late": "-880.67"}


@contextmanager
def only_this_once(chain: Chain) -> Iterator[None]:
    """What happens in it has not happened afterwards."""
    kept = [replace(one) for one in chain.said], [replace(one) for one in chain.orders], chain.now
    with transaction.atomic():
        yield
        transaction.set_rollback(True)
    chain.said, chain.orders, chain.now = kept


def happen(chain: Chain, what: str) -> None:
    """To the first execution, told on the day of now; the late one is of its day. Then the house comes to rest."""
    first = chain.said[0]
    if what == "bust":
        chain.bust(first)
    elif what == "fewer":
        chain.correct(first, qty=D(200))
    elif what == "late":
        chain.fill(chain.orders[0], 200, "72.45", day=first.day)
    elif what != "nothing":
        chain.correct(first, px=D("72.50" if what == "dearer" else "72.30"))
    chain.relay()
    chain.prove()


def moved(chain: Chain, *codes: str) -> tuple[str, ...]:
    """What accounts have more or less in pounds than they began with; the account of blocks and suspense must have nothing of it."""
    began = {"SUSPENSE": D(0)}
    rows = CashBalance.objects.filter(currency="GBP", account__code__in=(*codes, "WASH")).select_related("account")
    found = {row.account.code: row.settled + row.pending - began.get(row.account.code, D(200_000)) for row in rows}
    assert found.pop("WASH", D(0)) == 0
    return tuple(plain(found.get(code, D(0))) for code in codes)


def traded(chain: Chain, what: int) -> None:
    placed = chain.order(what, 1200)
    chain.fill(placed, 400, "72.40")
    chain.fill(placed, 600, "72.47")
    chain.relay()


def open_instructions() -> dict[str, tuple[str, str, str]]:
    rows = SettlementInstruction.objects.exclude(state__in=["canceled", "settled", "partial"]).select_related("account")
    return {row.account.code: (row.delivery, plain(row.qty), plain(row.amount)) for row in rows}


def settle(chain: Chain, *codes: str, qty: int = 0) -> None:
    for row in SettlementInstruction.objects.exclude(state__in=["canceled", "settled"]).filter(account__code__in=codes):
        chain.custodian(row, "settled", D(qty) or row.qty - row.settled_qty)


def note(chain: Chain) -> None:
    chain.note("XLON", chain.said[0].day)


def matched(chain: Chain) -> None:
    for row in SettlementInstruction.objects.exclude(state="canceled"):
        chain.custodian(row, "matched")


STAGES: tuple[tuple[str, Callable[[Chain], None], tuple[str, ...]], ...] = (
    ("booked and instructed", lambda chain: None, ("bust", "dearer", "cheaper", "fewer", "late")),
    ("affirmed", lambda chain: chain.affirm(Block.objects.get()), ("bust",)),
    ("noted", note, ("late",)),
    ("the day after", lambda chain: chain.night(), ("bust", "late")),
    ("matched at the depository", matched, ("bust",)),
)


def test_a_block_of_which_nothing_has_settled_ends_as_if_it_had_been_so_from_the_first() -> None:
    chain = chain_world()
    traded(chain, 1)
    with only_this_once(chain):
        happen(chain, "bust")
        assert (Block.objects.get().qty, Allocation.objects.count()) == (D(600), 0)
    with only_this_once(chain):
        chain.book(
            Block.objects.select_related("listing").get(), "fixed", [{"account": "C1", "qty": "1000"}], decided=False
        )
        happen(chain, "bust")
        request = AuthorisationRequest.objects.get(kind="allocation")
        assert (request.state, Allocation.objects.count()) == ("pending", 0)
        assert chain.decide(request) == "not_applied"
    with only_this_once(chain):
        TradingAccount.objects.filter(code="C2").update(state="frozen")
        chain.book(Block.objects.select_related("listing").get(), "pro_rata", LINES)
        happen(chain, "bust")
        assert moved(chain, "C1", "C2", "C3", "SUSPENSE") == ("-225.5", "0", "-94.39", "-130.45")

    chain.book(Block.objects.select_related("listing").get(), "pro_rata", LINES)
    happen(chain, "nothing")
    assert moved(chain, "C1", "C2", "C3", "ERROR", "ROUND") == (*nets("nothing"), "0", "0")
    for stage, reach, fates in STAGES:
        reach(chain)
        chain.relay()
        affirmed = Confirmation.objects.filter(state="affirmed").count()
        for fate in fates:
            with only_this_once(chain):
                happen(chain, fate)
                assert moved(chain, "C1", "C2", "C3", "ERROR", "ROUND") == (*nets(fate), "0", "0"), (stage, fate)
                assert open_instructions() == {
                    code: ("RECE", plain(line.qty), plain(-D(AFTER[fate][place])))
                    for place, code in enumerate(("C1", "C2", "C3"))
                    for line in Allocation.objects.filter(state="booked", account__code=code)
                }, (stage, fate)
                assert Confirmation.objects.filter(state="canceled").count() == 3, (stage, fate)
                live = ContractNote.objects.filter(state="issued", cancels=None)
                noted = ContractNote.objects.filter(state="canceled").count()
                assert (live.count(), noted) in ((0, 0), (3, 3)), (stage, fate)
        assert affirmed in (0, 3)
    assert (affirmed, ContractNote.objects.count()) == (3, 3)
    chain.fsck()


def nets(fate: str) -> tuple[str, ...]:
    return tuple(plain(D(amount)) for amount in AFTER[fate])


def test_a_block_that_has_settled_is_undone_by_trades_of_today_and_the_error_account() -> None:
    chain = chain_world()
    traded(chain, 1)
    chain.book(Block.objects.select_related("listing").get(), "pro_rata", LINES)
    chain.relay()
    chain.affirm(Block.objects.get())
    note(chain)
    chain.night(2)
    settle(chain, "C1", qty=200)
    chain.relay()
    for stage in ("a part", "one account"):
        with only_this_once(chain):
            happen(chain, "bust")
            # C1 sells 200 at 72.442 for 144.88 and gets 0.72 of duty back; C2 and C3 are booked anew; 0.08 and 0.72 are the firm's error.
            assert moved(chain, "C1", "C2", "C3", "ERROR") == ("-225.42", "-138.1", "-94.39", "-0.8"), stage
        settle(chain, "C1")
        chain.relay()
    settle(chain, "C2", "C3")
    chain.relay()
    for fate, (*clients, error) in SETTLED.items():
        with only_this_once(chain):
            happen(chain, fate)
            assert moved(chain, "C1", "C2", "C3", "ERROR") == tuple(plain(D(one)) for one in (*clients, error)), fate
            lines = Allocation.objects.filter(compensates__isnull=False)
            assert {(line.trade_date, line.side) for line in lines} == (
                set() if fate in ("dearer", "cheaper") else {(chain.now.date(), "1" if fate == "late" else "2")}
            )
            assert Allocation.objects.filter(state="reversed").count() == 0
            if fate == "late":
                chain.fsck()


def test_a_trade_of_an_account_itself_ends_the_same_settled_or_not() -> None:
    chain = chain_world()
    traded(chain, 2)
    chain.night()
    chain.relay()
    note(chain)
    for fate in ("bust", "late"):
        with only_this_once(chain):
            happen(chain, fate)
            assert moved(chain, "C1") == (plain(D(DIRECT[fate])),), fate
            assert open_instructions()["C1"][2] == plain(-D(DIRECT[fate])), fate
    chain.night()
    settle(chain, "C1")
    chain.relay()
    # Had -735.04: what is different settles by itself, in stock where there is stock, else as money that a person is told of.
    ways = {"bust": ("DELI", "400", "291.05"), "fewer": ("DELI", "200", "145.52"), "late": ("RECE", "200", "145.63")}
    for fate, net in DIRECT.items():
        with only_this_once(chain):
            happen(chain, fate)
            assert moved(chain, "C1") == (plain(D(net)),), fate
            assert open_instructions().get("C1") == ways.get(fate), fate
