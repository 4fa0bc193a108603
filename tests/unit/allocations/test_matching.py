"""Two levels: which record is about which confirmation, and whether both say the same of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from allocations.domain.matching import (
    Difference,
    Ours,
    Says,
    Theirs,
    Tolerance,
    affirms_itself,
    compare,
    in_force,
    live,
    pair,
    sentence_of,
)

DAY = date(2026, 11, 20)
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
TRADE = Says(
    account="AC-1", block_ref="B-1", isin="GB00BH4HKS39", symbol="VOD", mic="XLON", side="1", currency="GBP",
    trade_date=DAY, settlement_date=DAY + timedelta(days=4), qty=Decimal(1000), avg_px=Decimal("72.45"),
    gross=Decimal("724.50"), commission=Decimal(7), fees=Decimal("3.62"), net=Decimal("735.12"),
)  # fmt: skip


def ours(number: int, says: Says = TRADE) -> Ours:
    return Ours(UUID(int=number), f"C-{number}-1", frozenset({f"A-{number}", f"C-{number}-1"}), says)


def theirs(number: int, says: Says = TRADE, **changes: object) -> Theirs:
    made = Theirs(UUID(int=1000 + number), "confirmation", f"K-{number}", NOON, says)
    return replace(made, **changes)  # type: ignore[arg-type]


def test_a_record_that_names_ours_is_about_it_whatever_else_it_says() -> None:
    other = replace(TRADE, account="AC-9", qty=Decimal(7), side="2", isin="US0000000000")
    found = pair([ours(1), ours(2)], [theirs(1, other, names=("A-2",))])
    assert found.pairs == {UUID(int=1001): UUID(int=2)}


def test_without_a_name_economics_decide() -> None:
    second = replace(TRADE, account="AC-2", qty=Decimal(500))
    found = pair([ours(1), ours(2, second)], [theirs(1, second), theirs(2)])
    assert found.pairs == {UUID(int=1001): UUID(int=2), UUID(int=1002): UUID(int=1)}


@pytest.mark.parametrize(
    "change",
    [
        {"account": "AC-2"}, {"isin": "US4592001014"}, {"side": "2"}, {"trade_date": DAY + timedelta(days=1)},
        {"settlement_date": DAY + timedelta(days=5)}, {"currency": "USD"}, {"qty": Decimal(999)},
        {"account": "", "block_ref": ""}, {"account": "", "block_ref": "B-2"}, {"isin": "", "symbol": "BP"},
    ],
)  # fmt: skip
def test_one_other_word_and_it_is_another_trade(change: dict[str, object]) -> None:
    found = pair([ours(1)], [theirs(1, replace(TRADE, **change))])  # type: ignore[arg-type]
    assert not found.pairs
    assert found.unpaired[UUID(int=1001)].startswith("No open confirmation of ours has its account or block")


@pytest.mark.parametrize(
    "change",
    [
        {"account": ""}, {"isin": ""}, {"isin": "", "mic": ""}, {"settlement_date": None}, {"avg_px": Decimal(99)},
        {"net": Decimal(1)},
    ],
)  # fmt: skip
def test_what_is_not_said_or_only_an_amount_does_not_part_them(change: dict[str, object]) -> None:
    assert pair([ours(1)], [theirs(1, replace(TRADE, **change))]).pairs  # type: ignore[arg-type]


def test_a_short_sale_is_a_sale_to_the_other_side() -> None:
    assert pair([ours(1, replace(TRADE, side="5"))], [theirs(1, replace(TRADE, side="2"))]).pairs


def test_price_breaks_a_tie_and_equal_prices_do_not() -> None:
    dear = replace(TRADE, avg_px=Decimal(73))
    two = [ours(1), ours(2, dear)]
    found = pair(
        two, [theirs(1, replace(TRADE, avg_px=Decimal("72.9"))), theirs(2, replace(TRADE, avg_px=Decimal("72.4")))]
    )
    assert found.pairs == {UUID(int=1001): UUID(int=2), UUID(int=1002): UUID(int=1)}
    found = pair([ours(1), ours(2)], [theirs(1)])
    assert found.unpaired == {UUID(int=1001): "2 confirmations fit equally: C-1-1, C-2-1."}
    found = pair([ours(1)], [theirs(1), theirs(2)])
    assert found.unpaired == dict.fromkeys((UUID(int=1001), UUID(int=1002)), "Another record fits C-1-1 as well.")


def test_two_that_name_one_are_both_left_to_a_person() -> None:
    found = pair([ours(1)], [theirs(1, names=("A-1",)), theirs(2, names=("C-1-1",))])
    assert not found.pairs
    assert set(found.unpaired.values()) == {"2 records name the same confirmation: K-1, K-2."}


def test_one_that_names_what_is_canceled_is_about_nothing_however_alike() -> None:
    found = pair([ours(2)], [theirs(1, names=("A-1",))], ended={"A-1", "C-1-1"})
    assert found.unpaired == {UUID(int=1001): "It names A-1, which is canceled."}


def test_one_that_names_two_is_left_to_a_person() -> None:
    found = pair([ours(1), ours(2)], [theirs(1, names=("A-1", "A-2"))])
    assert found.unpaired == {UUID(int=1001): "It names several confirmations of ours."}


def test_replaced_and_canceled_records_no_longer_count() -> None:
    first, second = theirs(1), theirs(2, ref_of="K-1", trans_type="replace", said_at=NOON + timedelta(minutes=1))
    assert live([first, second]) == live([second, first]) == [second]
    gone = theirs(3, ref_of="K-2", trans_type="cancel", said_at=NOON + timedelta(minutes=2))
    assert live([gone, first, second]) == []
    again = theirs(4, ref="K-1", said_at=NOON + timedelta(minutes=3))
    assert live([first, again]) == [again]


AMOUNTS = st.sampled_from([Decimal(100), Decimal(200), Decimal(300)])
PRICES = st.sampled_from([Decimal("72.4"), Decimal("72.5"), Decimal("72.6")])
TRADES = st.builds(
    lambda account, qty, px, side: replace(TRADE, account=account, qty=qty, avg_px=px, side=side),
    st.sampled_from(["AC-1", "AC-2"]), AMOUNTS, PRICES, st.sampled_from(["1", "2"]),
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(st.lists(TRADES, max_size=6), st.lists(st.tuples(TRADES, st.integers(0, 8)), max_size=6), st.randoms())
def test_order_of_arrival_decides_nothing_and_nothing_is_paired_twice(
    mine: list[Says], said: list[tuple[Says, int]], order: object
) -> None:
    left = [ours(number, says) for number, says in enumerate(mine, start=1)]
    right = [
        theirs(number, says, names=(f"A-{named}",) if named else ())
        for number, (says, named) in enumerate(said, start=1)
    ]
    found = pair(left, right)
    order.shuffle(left)  # type: ignore[attr-defined]
    order.shuffle(right)  # type: ignore[attr-defined]
    again = pair(left, right)
    assert (again.pairs, again.unpaired) == (found.pairs, found.unpaired)
    assert len(set(found.pairs.values())) == len(found.pairs)
    assert found.pairs.keys() | found.unpaired.keys() == {one.id for one in right}
    assert not found.pairs.keys() & found.unpaired.keys()


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.integers(1, 3), st.sampled_from(["new", "replace", "cancel"]), st.integers(0, 3), st.integers(0, 9)
        ),
        max_size=7,
    ),
    st.randoms(),
)
def test_what_still_counts_does_not_depend_on_the_order_either(
    said: list[tuple[int, str, int, int]], order: object
) -> None:
    records = [
        theirs(place, ref=f"K-{ref}", trans_type=kind, ref_of=f"K-{of}" if kind != "new" else "", said_at=NOON + timedelta(minutes=minute))
        for place, (ref, kind, of, minute) in enumerate(said)
    ]  # fmt: skip
    expected = live(records)
    order.shuffle(records)  # type: ignore[attr-defined]
    assert live(records) == expected


def with_(name: str, value: str) -> Says:
    """The trade with another figure."""
    changes: dict[str, Any] = {name: Decimal(value)}
    return replace(TRADE, **changes)


def rule(name: str, amount: str = "0", bps: str = "0", **scope: object) -> Tolerance:
    given_ = {"counterparty": "", "currency": "", "version": 1, "auto_affirm": False, **scope}
    return Tolerance(field=name, amount=Decimal(amount), bps=Decimal(bps), **given_)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "amount", "bps", "inside", "outside"),
    [
        ("qty", "1", "0", "1001", "1001.00000001"),
        ("avg_px", "0.01", "0", "72.46", "72.4600001"),
        ("gross", "0", "10", "725.2245", "725.2246"),  # 10 basis points of 724.50
        ("commission", "0.5", "0", "6.5", "6.49"),
        ("fees", "0.01", "100", "3.6562", "3.6563"),  # the larger of a penny and 1 %
        ("net", "0.05", "0.1", "735.17", "735.1701"),
    ],
)  # fmt: skip
def test_a_field_may_be_away_as_far_as_the_mark_and_no_further(
    name: str, amount: str, bps: str, inside: str, outside: str
) -> None:
    rules = [rule(name, amount, bps)]
    assert compare(TRADE, with_(name, inside), rules, counterparty="SIM1") == ()
    found = compare(TRADE, with_(name, outside), rules, counterparty="SIM1")
    assert [one.field for one in found] == [name]
    assert compare(TRADE, with_(name, inside), [], counterparty="SIM1")[0].allowed == "0"


def test_a_settlement_date_may_be_days_away() -> None:
    late = replace(TRADE, settlement_date=DAY + timedelta(days=5))
    assert compare(TRADE, late, [rule("settlement_date", "1", "9999")], counterparty="SIM1") == ()
    found = compare(TRADE, late, [], counterparty="SIM1")
    assert found == (Difference("settlement_date", "2026-11-24", "2026-11-25", "1", "0"),)


def test_who_traded_what_is_exact() -> None:
    other = replace(TRADE, side="2", currency="USD", isin="US4592001014", account="AC-2", trade_date=date(2026, 11, 19))
    rules = [rule(name, "1000") for name in ("side", "currency", "isin", "account", "trade_date")]
    found = compare(TRADE, other, rules, counterparty="SIM1")
    assert [one.field for one in found] == ["account", "isin", "side", "currency", "trade_date"]


def test_what_they_do_not_say_is_not_compared() -> None:
    assert compare(TRADE, Says(qty=Decimal(1000)), [], counterparty="SIM1") == ()


def test_the_narrowest_scope_counts_and_of_it_the_newest_version() -> None:
    rules = [
        rule("net", "1"), rule("net", "2", version=2), rule("net", "3", currency="GBP"),
        rule("net", "4", counterparty="SIM1"), rule("net", "5", counterparty="SIM1", currency="USD", version=9),
    ]  # fmt: skip

    def amount(counterparty: str, currency: str) -> Decimal | None:
        found = in_force(rules, "net", counterparty=counterparty, currency=currency)
        return found.amount if found else None

    assert [amount("SIM2", "EUR"), amount("SIM2", "GBP"), amount("SIM1", "GBP"), amount("SIM1", "USD")] == [2, 3, 4, 5]
    assert in_force(rules, "fees", counterparty="SIM1", currency="GBP") is None
    assert not affirms_itself(rules, counterparty="SIM1", currency="GBP")
    assert affirms_itself([rule("*", auto_affirm=True)], counterparty="SIM1", currency="GBP")


def test_a_difference_is_told_as_people_tell_it() -> None:
    other = replace(TRADE, net=Decimal("735.49"), side="2")
    found = compare(TRADE, other, [rule("net", "0.05")], counterparty="SIM1")
    assert sentence_of(found, currency="GBP") == (
        "The side is buy for us and sell for them. The net amount differs by 0.37 GBP: ours 735.12, theirs 735.49, allowed 0.05."
    )
    gone = [Difference("trade", "confirmed", "withdrawn by them", "", ""), Difference("fees", "0", "1.5", "1.5", "0")]
    assert sentence_of(gone, currency="GBP") == (
        "It is no longer confirmed: withdrawn by them. The fees differ by 1.5 GBP: ours 0, theirs 1.5, allowed 0."
    )
