"""What trades are charged: worked examples of public schedules, rounding, and that the order of arrival cannot matter."""

from __future__ import annotations

import csv
from datetime import date, timedelta
from decimal import Decimal as D
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.domain.fee_book import FeeBook, FeeScope
from accounts.domain.fee_rows import parse_schedules
from accounts.domain.fees import (
    NO_FEES,
    Basis,
    ChargeKind,
    ChargeTerms,
    OrderFees,
    Tier,
    Traded,
    charges,
    fees_from_json,
    fees_to_json,
    worst_case,
)
from kernel.numbers import Rounding

ROOT = Path(__file__).resolve().parents[3]
DAY = date(2026, 11, 20)
NOTHING = Traded(D(0), D(0))


def book() -> FeeBook:
    with (ROOT / "accounts" / "data" / "fee_schedules.csv").open(encoding="utf-8") as file:
        drafts, issues = parse_schedules(list(csv.DictReader(file)))
    assert issues == []
    return FeeBook(tuple(draft.schedule for draft in drafts))


BOOK = book()
PLACES = {"GBP": "XLON", "EUR": "XETR", "USD": "XNYS", "AUD": "XASX"}


def scope(
    isin: str, side: str, currency: str = "GBP", mic: str = "", asset: str = "equity", klass: str = "standard"
) -> FeeScope:
    return FeeScope(mic or PLACES[currency], isin, asset, klass, side, currency)


def owed(found: FeeScope, qty: str, value: str, day: date = DAY) -> dict[str, str]:
    selected = BOOK.select(found, day)
    assert selected.covered
    lines = charges(selected.terms, qty=D(qty), value=D(value), currency=found.currency)
    return {line.name: str(line.amount) for line in lines}


GB, JE, IE, FR, DE, US, AU = (
    "GB00BH4HKS39",
    "JE00B4T3BW64",
    "IE00BWY4ZF18",
    "FR0000120271",
    "DE0007164600",
    "US5949181045",
    "AU000000CBA7",
)


@pytest.mark.parametrize(
    ("what", "found", "qty", "value", "expected"),
    [
        # HMRC STSM014030: tax computed to be 13.4547 is 13.45, computed to be 13.4550 is 13.46.
        ("SDRT down", scope(GB, "buy"), "1", "2690.94", {"commission": "7.00", "uk_sdrt": "13.45"}),
        ("SDRT half up", scope(GB, "buy"), "1", "2691.00", {"commission": "7.00", "uk_sdrt": "13.46"}),
        ("SDRT not on sales", scope(GB, "sell"), "1", "2691.00", {"commission": "7.00"}),
        ("SDRT not on ETFs", scope(GB, "buy", asset="etf"), "1", "2691.00", {"commission": "7.00"}),
        # Takeover Panel: 150p a contract of more than GBP 10,000, purchases and sales, Channel Islands included.
        ("PTM at the mark", scope(JE, "buy"), "1", "10000.00", {"commission": "7.00"}),
        ("PTM above", scope(JE, "buy"), "1", "10000.01", {"commission": "7.00", "ptm_levy": "1.50"}),
        ("PTM on a sale", scope(GB, "sell"), "1", "10000.01", {"commission": "7.00", "ptm_levy": "1.50"}),
        # Irish Revenue, s. 70: 1 % to the nearest cent, any half cent up.
        ("Irish duty", scope(IE, "buy", "EUR"), "1", "1000.50", {"commission": "3.90", "ie_stamp_duty": "10.01"}),
        # French FTT: 0.4 % of purchases; nothing on sales.
        ("French FTT", scope(FR, "buy", "EUR", "XPAR"), "100", "12345.00", {"commission": "11.11", "fr_ftt": "49.38"}),
        ("no French FTT", scope(FR, "sell", "EUR", "XPAR"), "100", "12345.00", {"commission": "11.11"}),
        # FXFlat: UK 7.00, above 50,000 + 0.05 %; Xetra 0.09 % between 3.90 and 89.00; ASX 0.09 % min 9.90; US 1 cent, min 1.90, max 1 %.
        ("London above 50,000", scope(US, "buy"), "1", "60000.00", {"commission": "12.00"}),
        ("Xetra minimum", scope(DE, "buy", "EUR"), "10", "4333.00", {"commission": "3.90"}),
        ("Xetra rate", scope(DE, "buy", "EUR"), "10", "20000.00", {"commission": "18.00"}),
        ("Xetra maximum", scope(DE, "sell", "EUR"), "10", "98900.00", {"commission": "89.00"}),
        ("ASX minimum", scope(AU, "buy", "AUD"), "10", "11000.00", {"commission": "9.90"}),
        ("ASX rate", scope(AU, "buy", "AUD"), "10", "20000.00", {"commission": "18.00"}),
        ("US a share", scope(US, "buy", "USD"), "1000", "50000", {"commission": "10.00"}),
        ("US minimum", scope(US, "buy", "USD"), "100", "5000", {"commission": "1.90"}),
        ("US cap beats minimum", scope(US, "buy", "USD"), "1", "50", {"commission": "0.50"}),
        # FINRA TAF: 1,000 shares sold cost 0.166, passed on as 0.17; at most 8.30 a trade (50,000 shares).
        ("TAF up", scope(US, "sell", "USD"), "1000", "50000", {"commission": "10.00", "us_finra_taf": "0.17"}),
        ("TAF cap", scope(US, "sell", "USD"), "60000", "120000", {"commission": "600.00", "us_finra_taf": "8.30"}),
        ("house account", scope(GB, "buy", klass="house"), "1", "2691.00", {"uk_sdrt": "13.46"}),
    ],
    ids=lambda value: value if isinstance(value, str) and " " in value else "",
)  # fmt: skip
def test_worked_examples(what: str, found: FeeScope, qty: str, value: str, expected: dict[str, str]) -> None:
    assert owed(found, qty, value) == expected, what


@pytest.mark.parametrize(
    ("found", "day", "name", "value", "expected"),
    [
        (scope(GB, "buy"), date(2024, 12, 1), "ptm_levy", "20000", "1.00"),
        (scope(GB, "buy"), date(2024, 12, 2), "ptm_levy", "20000", "1.50"),
        (scope(FR, "buy", "EUR", "XPAR"), date(2025, 3, 31), "fr_ftt", "1000", "3.00"),
        (scope(FR, "buy", "EUR", "XPAR"), date(2025, 4, 1), "fr_ftt", "1000", "4.00"),
        # USD 27.80 a million until 13 May 2025 (10,000 sold: 0.278, up to 0.28), then nothing.
        (scope(US, "sell", "USD"), date(2025, 5, 13), "us_sec_31", "10000", "0.28"),
        (scope(US, "sell", "USD"), date(2025, 5, 14), "us_sec_31", "10000", None),
    ],
)
def test_rates_change_on_their_dates(found: FeeScope, day: date, name: str, value: str, expected: str | None) -> None:
    lines = charges(BOOK.select(found, day).terms, qty=D(1), value=D(value), currency=found.currency)
    assert {line.name: str(line.amount) for line in lines}.get(name) == expected


def test_a_trade_nobody_has_a_commission_for_is_not_covered() -> None:
    for unknown in (
        scope(GB, "buy", "GBP", "XTKS"),
        scope(GB, "buy", "USD", "XLON"),
        FeeScope("XLON", GB, "equity", "other", "buy", "CHF"),
    ):
        assert not BOOK.select(unknown, DAY).covered
    assert not BOOK.select(scope(GB, "buy"), date(2024, 12, 31)).covered


def line(name: str = "commission", **changes: object) -> ChargeTerms:
    values: dict[str, object] = {
        "name": name, "version": 1, "kind": ChargeKind.COMMISSION, "basis": Basis.ORDER_DAY, "rounding": Rounding.HALF_UP,
        "currency": "GBP",
    }  # fmt: skip
    return ChargeTerms(**{**values, **changes})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("rounding", "expected"), [("half_even", "0.12"), ("half_up", "0.13"), ("up", "0.13"), ("down", "0.12")]
)
def test_each_line_rounds_as_it_says(rounding: str, expected: str) -> None:
    assert line(bps=D(1), rounding=Rounding(rounding)).owed(D(1), D(1250), currency="GBP") == D(expected)
    assert line(bps=D(1), rounding=Rounding("down")).owed(D(1), D(15_000), currency="JPY") == D(1)


@pytest.mark.parametrize(
    ("value", "expected"), [("9999", "10.00"), ("10000", "10.00"), ("20000", "12.50"), ("40000", "15.20")]
)
def test_tiers_take_their_slice_of_the_value(value: str, expected: str) -> None:
    # IBKR bonds: 0.1 % of the first 10,000, 0.025 % of what is above (20,000: 10.00 + 2.50); a third slice added.
    tiers = (Tier(D(10_000), D(10)), Tier(D(20_000), D("2.5")), Tier(None, D("1.35")))
    assert line(tiers=tiers).owed(D(1), D(value), currency="GBP") == D(expected)


MINIMUM = (line(bps=D(10), minimum=D(10)), line("duty", bps=D(50), kind=ChargeKind.TAX))
TRADE_CAP = (line("taf", basis=Basis.EXECUTION, per_share=D("0.01"), maximum=D("5"), kind=ChargeKind.FEE),)


def run(fees: OrderFees, *changes: tuple[Traded, Traded], day: date = DAY) -> tuple[OrderFees, list[dict[str, str]]]:
    said = []
    for before, after in changes:
        fees, found = fees.traded(day, before, after, divisor=1, currency="GBP")
        said.append({charge.name: str(charge.amount) for charge in found})
    return fees, said


def test_a_minimum_is_paid_once_a_day_and_comes_back_with_the_last_bust() -> None:
    first, second = Traded(D(10), D(100)), Traded(D(100), D(150))
    fees, said = run(
        NO_FEES.decided(DAY, MINIMUM), (NOTHING, first), (NOTHING, second), (second, NOTHING), (first, NOTHING)
    )
    assert said == [
        {"commission": "10.00", "duty": "5.00"},
        {"commission": "6.00", "duty": "75.00"},
        {"commission": "-6.00", "duty": "-75.00"},
        {"commission": "-10.00", "duty": "-5.00"},
    ]
    assert (fees.booked, fees.days[DAY].qty, fees.days[DAY].booked) == (D(0), D(0), {})


def test_each_day_of_an_order_pays_its_own_minimum() -> None:
    fees, said = run(NO_FEES.decided(DAY, MINIMUM), (NOTHING, Traded(D(1), D(100))))
    fees, more = run(fees.decided(DAY + timedelta(1), MINIMUM), (NOTHING, Traded(D(1), D(100))), day=DAY + timedelta(1))
    assert said == more == [{"commission": "10.00", "duty": "0.50"}]
    assert fees.booked == D("21.00")
    assert len(fees.sets) == 1


def test_a_charge_by_execution_is_capped_for_each() -> None:
    one = Traded(D(600), D(1))
    _, said = run(
        NO_FEES.decided(DAY, TRADE_CAP), (NOTHING, one), (NOTHING, one), (one, Traded(D(300), D(1))), (one, NOTHING)
    )
    assert said == [{"taf": "5.00"}, {"taf": "5.00"}, {"taf": "-2.00"}, {"taf": "-5.00"}]


def test_later_terms_leave_a_past_day_alone() -> None:
    dearer = (line(bps=D(20)),)
    first = Traded(D(100), D(200))
    fees, _ = run(NO_FEES.decided(DAY, MINIMUM), (NOTHING, first))
    tomorrow = DAY + timedelta(1)
    fees, said = run(fees.decided(tomorrow, dearer), (NOTHING, first), day=tomorrow)
    assert said == [{"commission": "40.00"}]
    assert fees.terms == dearer
    fees, said = run(fees, (first, NOTHING))
    assert said == [{"commission": "-20.00", "duty": "-100.00"}]
    yesterday = DAY - timedelta(1)
    fees, said = run(fees.decided(yesterday, MINIMUM), (NOTHING, first), day=yesterday)
    assert (said, fees.terms) == ([{"commission": "20.00", "duty": "100.00"}], dearer)


def test_an_order_nobody_charges_keeps_no_days() -> None:
    fees, said = run(NO_FEES.decided(DAY, ()), (NOTHING, Traded(D(10), D(10))))
    assert (said, fees.days, fees.is_decided(DAY)) == ([{}], {}, True)


EXECUTIONS = st.lists(
    st.tuples(st.integers(1, 5000), st.decimals("0.01", "900", places=2), st.sampled_from(["keep", "bust", "correct"])),
    min_size=1,
    max_size=8,
)


@given(executions=EXECUTIONS, shuffle=st.randoms())
def test_the_order_of_arrival_cannot_matter(executions: list[tuple[int, D, str]], shuffle: object) -> None:
    terms = (*MINIMUM, line("levy", flat=D("1.50"), above=D(10_000)), *TRADE_CAP)
    histories = []
    for qty, px, fate in executions:
        traded = Traded(D(qty), px)
        changes = [(NOTHING, traded)]
        if fate == "bust":
            changes.append((traded, NOTHING))
        elif fate == "correct":
            changes.append((traded, Traded(D(qty), px + 1)))
        histories.append(changes)
    straight, _ = run(NO_FEES.decided(DAY, terms), *(change for history in histories for change in history))
    mixed: list[tuple[Traded, Traded]] = []
    waiting = [list(history) for history in histories]
    while any(waiting):
        one = shuffle.choice([history for history in waiting if history])  # type: ignore[attr-defined]
        mixed.append(one.pop(0))
    shuffled, said = run(NO_FEES.decided(DAY, terms), *mixed)
    assert shuffled == straight
    assert sum((D(amount) for lines in said for amount in lines.values()), D(0)) == straight.booked
    assert fees_from_json(fees_to_json(shuffled)) == shuffled


def test_what_is_reserved_is_the_rest_as_one_trade_of_another_day() -> None:
    terms = (*MINIMUM, line("levy", flat=D("1.50"), above=D(10_000)))
    rest = worst_case(terms, qty=D(10), value=D(1000), currency="GBP", whole=D(10_001))
    assert rest == D("10.00") + D("5.00") + D("1.50")
    assert worst_case(terms, qty=D(0), value=D(0), currency="GBP", whole=D(10_001)) == D(0)
