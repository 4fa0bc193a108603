"""A split between trade and settlement: what is open is instructed in new shares, whoever of house and custodian is first."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from django.db import connection

from accounts.models import Holding
from allocations.models import SettlementFile, SettlementInstruction
from allocations.services.instruct_settlements import instruct_settlements
from allocations.services.receive_statuses import receive_statuses
from allocations.services.send_again import send_again
from allocations.services.transform_instructions import transform_instructions
from journal.models import Event
from kernel.numbers import plain
from operations.fsck.registry import CHECKS
from orders.services.apply_corporate_actions import apply_corporate_actions
from refdata.models import CorporateAction, Instrument
from tests.factories.actions import decide
from tests.factories.chain import HEADER, HOUSE, Chain
from tests.factories.chain_world import chain_world
from tests.integration.allocations.test_claims import bought, row, said

pytestmark = pytest.mark.django_db
D = Decimal
OURS = [
    check
    for check in CHECKS
    if check.code.startswith(("SETTLEMENT_", "CLAIM_", "HOLDING", "CASH_", "MONEY_", "ENTITLEMENT"))
]
Figures = tuple[str, str, str, str, str]


def numbered_from(number: int = 1000) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT setval('allocations_allocation_number', %s)", [number - 1])


def all_of(code: str) -> list[Figures]:
    """Version, state, units, settled, money of every instruction of an account's trade."""
    rows = SettlementInstruction.objects.filter(account__code=code).order_by("allocation__number", "version")
    return [(f"-{one.version}", one.state, plain(one.qty), plain(one.settled_qty), plain(one.amount)) for one in rows]


def stock(chain: Chain, code: str) -> tuple[Decimal, Decimal]:
    one = Holding.objects.get(account__code=code, instrument_id=chain.listings["VOD.L"].instrument_id)
    return one.settled, one.pending


def custodian_says(
    chain: Chain, ref: str, status: str, qty: Decimal | None, money: Decimal | None, when: datetime | None = None
) -> None:
    """Under whatever reference, as of whatever time."""
    chain.seq += 1
    chain.now += timedelta(seconds=1)
    amount = "" if money is None else plain(money)
    line = f"{ref},{status},T{chain.seq},{'' if qty is None else plain(qty)},{amount},GBP,,,{(when or chain.now).isoformat()}\n"
    receive_statuses(actor=HOUSE, at=chain.now, content=(HEADER + line).encode(), source="CUSTGB2LXXX")


def split_world(kind: str = "split", qty: int = 1000, **terms: str) -> tuple[Chain, UUID]:
    """500, 300 and 200 of a thousand bought; the action is told, and not carried out before its ex date."""
    chain = chain_world()
    numbered_from()
    bought(chain, qty)
    return chain, chain.action(kind, **terms)


def carry_out(chain: Chain) -> None:
    chain.night()
    chain.actions()
    chain.now += timedelta(seconds=1)


def files(kind: str) -> list[list[str]]:
    rows = SettlementFile.objects.filter(kind=kind).order_by("made_at", "place")
    return [sorted(one.instructions) for one in rows]


def test_a_split_cancels_what_is_open_and_instructs_it_in_new_shares_for_the_same_money() -> None:
    chain, action_id = split_world()
    money = {code: row(code).amount for code in ("C1", "C2", "C3")}
    chain.custodian(row("C1"), "settled", D(500))
    chain.custodian(row("C2"), "partial", D(100))
    paid = row("C2").settled_amount
    carry_out(chain)
    assert (transform_instructions(at=chain.now), transform_instructions(at=chain.now)) == (2, 0)
    assert all_of("C1") == [("-1", "settled", "500", "500", plain(money["C1"]))]
    assert all_of("C2") == [
        ("-1", "canceled", "300", "100", plain(money["C2"])),
        ("-2", "waiting", "400", "0", plain(money["C2"] - paid)),
    ]
    assert all_of("C3") == [
        ("-1", "canceled", "200", "0", plain(money["C3"])),
        ("-2", "waiting", "400", "0", plain(money["C3"])),
    ]
    new = row("C2")
    assert (new.replaces, new.transforms, new.action_id, new.of_qty) == (
        new.transforms,
        new.replaces,
        action_id,
        D(200),
    )
    assert files("sese.020") == [["S1001-1", "S1002-1"]]
    chain.relay()
    assert files("sese.023")[-1] == ["S1001-2", "S1002-2"]
    assert "S1001-1" in SettlementFile.objects.filter(kind="sese.023").latest("made_at", "place").content
    chain.fsck(OURS)

    chain.night()
    for code in ("C2", "C3"):
        chain.custodian(row(code), "settled", D(400))
    assert [stock(chain, code) for code in ("C1", "C2", "C3")] == [
        (D(11_000), D(0)), (D(10_600), D(0)), (D(10_400), D(0))
    ]  # fmt: skip
    assert {
        code: sum(one.settled_amount for one in SettlementInstruction.objects.filter(account__code=code))
        for code in money
    } == money
    chain.prove()
    chain.fsck(OURS)
    ((_, told),) = Event.objects.filter(kind="SettlementsTransformed").values_list("stream", "payload")
    assert [(one["instead_of"], one["ref"], one["of_qty"], one["qty"]) for one in told["lines"]] == [
        ("S1001-1", "S1001-2", "200", "400"), ("S1002-1", "S1002-2", "200", "400"),
    ]  # fmt: skip


def test_a_reverse_split_rounds_each_instruction_and_parts_of_shares_become_money_to_the_unit() -> None:
    chain, action_id = split_world("reverse_split", ratio_new="1", ratio_old="3")
    carry_out(chain)
    assert [stock(chain, code)[1] for code in ("C1", "C2", "C3")] == [D(167), D(100), D(67)]  # on all that each has
    transform_instructions(at=chain.now)
    assert [row(code).qty for code in ("C1", "C2", "C3")] == [
        D(166),
        D(100),
        D(66),
    ]  # one by one, as the other side does
    assert [stock(chain, code)[1] for code in ("C1", "C2", "C3")] == [D(166), D(100), D(66)]
    assert transform_instructions(at=chain.now) == 0
    assert Event.objects.filter(kind="ClaimBooked").count() == 2
    chain.prove()
    chain.fsck(OURS)
    chain.relay()
    chain.night()
    for code in ("C1", "C2", "C3"):
        chain.custodian(row(code), "settled", row(code).qty)
    assert [stock(chain, code) for code in ("C1", "C2", "C3")] == [(D(1832), D(0)), (D(1766), D(0)), (D(1732), D(0))]
    chain.fsck(OURS)

    decide(action_id, "undo", at=chain.now)
    chain.actions()
    transform_instructions(at=chain.now)
    assert CorporateAction.objects.get().state == "undone"
    chain.prove()
    chain.fsck(OURS)


def test_an_undone_split_gives_what_is_open_back_in_old_shares() -> None:
    chain, action_id = split_world()
    carry_out(chain)
    chain.relay()
    chain.custodian(row("C1"), "partial", D(250))
    chain.now += timedelta(minutes=1)
    decide(action_id, "undo", at=chain.now)
    chain.actions()
    chain.relay()
    assert [one[1:4] for one in all_of("C2")] == [
        ("canceled", "300", "0"),
        ("canceled", "600", "0"),
        ("instructed", "300", "0"),
    ]
    assert [one[1:4] for one in all_of("C1")] == [
        ("canceled", "500", "0"),
        ("canceled", "1000", "250"),
        ("instructed", "375", "0"),
    ]
    assert [sentence.split(":")[0][:40] for _, sentence in said("SETTLEMENT_NOT_TRANSFORMED")] == [
        "250 units settled in shares of AGENT"
    ]
    assert files("sese.020")[-1] == ["S1000-2", "S1001-2", "S1002-2"]
    chain.custodian(row("C2"), "settled", D(300))
    assert stock(chain, "C2") == (D(5300), D(0))
    chain.fsck(OURS)


def test_what_the_custodian_says_of_the_old_reference_is_known_and_never_guessed() -> None:
    chain, _ = split_world()
    friday = chain.now
    amount = {code: row(code).amount for code in ("C1", "C2", "C3")}
    chain.night()
    # Before our books have new shares: it transformed C1 itself, and says so under the old reference.
    custodian_says(chain, "S1000-1", "settled", D(1000), amount["C1"])
    assert said("SETTLEMENT_CONTRADICTION")[-1][1].startswith("1000 units are said to have settled and 500 were left")
    chain.actions()
    chain.now += timedelta(seconds=1)
    transform_instructions(at=chain.now)
    assert [one[1:4] for one in all_of("C1")] == [("canceled", "500", "0"), ("settled", "1000", "1000")]
    assert stock(chain, "C1") == (D(11_000), D(0))
    instruct_settlements(at=chain.now)
    assert files("sese.023")[-1] == ["S1001-2", "S1002-2"]  # what has settled is not sent
    chain.fsck(OURS)

    # Of C2 a hundred old ones had changed hands on Friday, as a file of today says: the rest is less.
    custodian_says(chain, "S1001-1", "partial", D(100), D(72), friday)
    assert [one[1:4] for one in all_of("C2")] == [
        ("canceled", "300", "100"), ("canceled", "600", "0"), ("waiting", "400", "0")
    ]  # fmt: skip
    assert row("C2").amount == amount["C2"] - 72
    chain.actions()
    assert stock(chain, "C2") == (D(10_200), D(400))
    chain.fsck(OURS)
    # Three hundred of today may be old or new ones: nobody knows, so nothing is booked and nothing leaves.
    custodian_says(chain, "S1001-1", "partial", D(300), D(100))
    assert said("SETTLEMENT_CONTRADICTION")[-1][1].endswith("under a reference that was replaced in other shares.")
    assert "is said to have settled" in row("C2").held_why
    # All of it, in no words of how much, is what was due; what it says twice changes nothing.
    custodian_says(chain, "S1001-1", "settled", None, None)
    assert (row("C2").state, row("C2").held_at, stock(chain, "C2")) == ("settled", None, (D(10_600), D(0)))
    # Of C3 what it transformed itself settles although ours was sent too: that one is asked back, and counts nothing more.
    custodian_says(chain, "S1002-1", "settled", D(400), amount["C3"])
    assert (row("C3").state, files("sese.020")[-1]) == ("settled", ["S1002-2"])
    custodian_says(chain, "S1002-2", "settled", D(400), amount["C3"])
    assert said("SETTLEMENT_CONTRADICTION")[-1][1].startswith("400 units are said to have settled and 0 were left")
    assert stock(chain, "C3") == (D(10_400), D(0))
    chain.fsck(OURS)


def test_all_of_it_had_settled_before_the_ex_date_and_a_bust_takes_the_rest_back() -> None:
    chain, _ = split_world()
    friday = chain.now
    carry_out(chain)
    chain.relay()
    custodian_says(chain, "S1000-1", "settled", D(500), row("C1").amount, friday)
    chain.actions()
    assert [one[1:4] for one in all_of("C1")] == [("settled", "500", "500"), ("canceled", "1000", "0")]
    assert (stock(chain, "C1"), files("sese.020")[-1]) == ((D(11_000), D(0)), ["S1000-2"])
    chain.fsck(OURS)
    chain.bust(chain.said[0])
    chain.relay()
    assert [one[1] for one in all_of("C2")] == ["canceled", "canceled"]
    # What C1 has goes back in new shares, the trade the other way being of before the ex date.
    assert [one[1:4] for one in all_of("C1")][2:] == [("canceled", "500", "0"), ("instructed", "1000", "0")]
    assert [sum(stock(chain, code)) for code in ("C1", "C2", "C3")] == [D(10_000)] * 3
    chain.prove()
    chain.fsck(OURS)


def test_a_new_isin_cancels_by_the_old_one_and_what_was_refused_follows_when_it_is_sent_again() -> None:
    chain, _ = split_world("name_change", new_isin="GB0002634946")
    old = Instrument.objects.get(listings__symbol="VOD.L").isin
    chain.custodian(row("C3"), "rejected")
    carry_out(chain)
    transform_instructions(at=chain.now)
    assert [one[1:3] for one in all_of("C2")] == [("canceled", "300"), ("waiting", "300")]
    assert all_of("C3")[0][1] == "rejected"
    who = chain.clerk
    send_again(actor=who, at=chain.now, idempotency_key="again", route="t", ref="S1002-1", reason="they take it now")
    chain.relay()
    assert [one[1] for one in all_of("C3")] == ["canceled", "canceled", "instructed"]
    asked_back = SettlementFile.objects.filter(kind="sese.020").earliest("made_at", "place").content
    anew = SettlementFile.objects.filter(kind="sese.023").latest("made_at", "place").content
    assert (old in asked_back, "GB0002634946" in asked_back) == (True, False)
    assert (old in anew, "GB0002634946" in anew) == (False, True)
    custodian_says(chain, "S1001-1", "settled", D(300), row("C2").amount)
    assert row("C2").state == "settled"
    chain.fsck(OURS)
    assert apply_corporate_actions(at=chain.now) == 0
