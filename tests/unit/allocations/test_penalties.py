"""What a fail is taken to cost: by dated rates, for both sides, to the minor unit; nothing is guessed where a figure is missing."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from allocations.domain.confirm_rules import PENALTY, read_change
from allocations.domain.penalties import Fail, PenaltyRate, estimate, parse_rates, rate_for
from allocations.selectors.penalties import published_rates
from kernel.errors import Invalid

D = Decimal
DAY = date(2026, 11, 24)
RATE = PenaltyRate("XPAR", "equity", date(2022, 2, 1), None, D(1), "annex")
FAIL = Fail("DELI", D(10_000), 3, "LACK", "EUR", D("57.36"))


def test_who_fails_pays_so_many_basis_points_a_day_of_what_is_open() -> None:
    # 10,000 × 57.36 = 573,600 a day at one basis point = 57.36, three days 172.08
    assert estimate(FAIL, RATE).amount == D("-172.08")
    assert estimate(replace(FAIL, delivery="RECE", reason_code="CLAC"), RATE).amount == D("172.08")
    assert estimate(replace(FAIL, reason_code="CLAC"), RATE).amount == D("172.08")
    assert [estimate(replace(FAIL, delivery=way, reason_code=""), RATE).amount for way in ("DELI", "RECE")] == [
        D("-172.08"), D("172.08")
    ]  # fmt: skip
    assert estimate(replace(FAIL, open_qty=D(1), price=D("123.45"), days=1), RATE).amount == D("-0.01")
    assert estimate(replace(FAIL, open_qty=D(1), price=D("50"), days=1), RATE).amount == D(0)  # half a cent, half-even
    assert (estimate(replace(FAIL, days=0), RATE).amount, estimate(FAIL, replace(RATE, bps=D(0))).amount) == (
        D(0),
        D(0),
    )


def test_nothing_is_estimated_where_rate_price_or_the_cost_of_cash_is_unknown() -> None:
    for fail, rate, why in (
        (FAIL, None, "No penalty is known"), (replace(FAIL, price=None), RATE, "no reference price"),
        (replace(FAIL, reason_code="MONY"), RATE, "want of cash"), (replace(FAIL, reason_code="CMON"), RATE, "want of cash"),
    ):  # fmt: skip
        found = estimate(fail, rate)
        assert found.amount is None
        assert why in found.why


def test_the_newest_version_of_the_house_counts_from_its_first_day_else_what_is_published() -> None:
    house = [replace(RATE, bps=D(2), valid_from=DAY, version=1), replace(RATE, bps=D("0.5"), valid_from=DAY, version=2)]
    rates = [RATE, replace(RATE, mic="XETR"), replace(RATE, valid_to=date(2023, 1, 1), bps=D(9)), *house]

    def bps(day: date, mic: str = "XPAR", kind: str = "equity") -> Decimal | None:
        found = rate_for(rates, mic=mic, asset_class=kind, settlement_date=day)
        return found.bps if found else None

    assert [bps(DAY), bps(date(2026, 11, 23)), bps(date(2022, 1, 31)), bps(DAY, "XLON"), bps(DAY, kind="etf")] == [
        D("0.5"), D(1), None, None, None
    ]  # fmt: skip
    assert {(rate.mic, rate.asset_class, rate.bps) for rate in published_rates()} == {
        (mic, kind, amount) for mic in ("XETR", "XPAR") for kind, amount in (("equity", D(1)), ("etf", D("0.5")))
    }
    row = {
        "mic": "XPAR",
        "asset_class": "equity",
        "valid_from": "2022-02-01",
        "valid_to": "",
        "bps": "1",
        "source": "x",
    }
    for wrong in ({"bps": "x"}, {"bps": "101"}, {"source": ""}, {"valid_from": "soon"}):
        with pytest.raises(ValueError, match="row 2"):
            parse_rates([row | wrong])


def test_a_rate_is_read_by_field() -> None:
    said = {
        "mic": "XPAR",
        "asset_class": "equity",
        "bps": "0.75",
        "valid_from": "2026-12-01",
        "source": "our custodian's list",
    }
    assert read_change(PENALTY, said).subject == "penalty_rate:XPAR:equity"
    for name, text in (
        ("bps", ""), ("bps", "-1"), ("bps", "100.1"), ("bps", "0.00001"), ("mic", ""), ("asset_class", "bond"),
        ("valid_from", "soon"), ("source", ""), ("source", "x" * 201),
    ):  # fmt: skip
        with pytest.raises(Invalid) as caught:
            read_change(PENALTY, said | {name: text})
        assert set(caught.value.fields) == {name}
