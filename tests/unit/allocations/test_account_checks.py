"""Which shares are parked: inside, at and outside every mark."""

from __future__ import annotations

from decimal import Decimal as D

import pytest

from allocations.domain.account_checks import AccountFacts, checks_of
from kernel.fix import Side

RICH = {"cash": D(1000), "stock": D(100), "currency": "GBP"}
BUY, SELL, SHORT = Side.BUY, Side.SELL, Side.SELL_SHORT


@pytest.mark.parametrize(
    ("side", "qty", "net", "facts", "codes"),
    [
        (BUY, "10", "-1000", {}, []),
        (BUY, "10", "-1000.01", {}, ["CASH_SHORT"]),
        (BUY, "10", "-1", {"cash": D(0)}, ["CASH_SHORT"]),
        (BUY, "10", "-1", {"cash": D(-5)}, ["CASH_SHORT"]),
        (SELL, "100", "500", {}, []),
        (SELL, "100.00000001", "500", {}, ["STOCK_SHORT"]),
        (SELL, "1", "-0.50", {"cash": D(0)}, ["CASH_SHORT"]),
        (SHORT, "500", "500", {"stock": D(0)}, []),
        (BUY, "10", "-10", {"state": "frozen"}, ["ACCOUNT_FROZEN"]),
        (BUY, "10", "-10", {"state": "closed"}, ["ACCOUNT_CLOSED"]),
        (BUY, "10", "-10", {"state": "reduce_only"}, ["ACCOUNT_REDUCE_ONLY"]),
        (BUY, "10", "-10", {"state": "reduce_only", "short": D(10)}, []),
        (BUY, "11", "-10", {"state": "reduce_only", "short": D(10)}, ["ACCOUNT_REDUCE_ONLY"]),
        (SELL, "100", "10", {"state": "reduce_only"}, []),
        (SELL, "101", "10", {"state": "reduce_only"}, ["ACCOUNT_REDUCE_ONLY", "STOCK_SHORT"]),
        (SHORT, "1", "10", {"state": "reduce_only"}, ["ACCOUNT_REDUCE_ONLY"]),
        (BUY, "10", "-10", {"blocked": "a break"}, ["ACCOUNT_BLOCKED"]),
        (BUY, "10", "-10", {"restricted": True}, ["RESTRICTED"]),
        (BUY, "10", "-10", {"outside_mandate": "The mandate has no bonds."}, ["OUTSIDE_MANDATE"]),
        (BUY, "10", "-10", {"covered": False}, ["NOT_CHARGEABLE"]),
        (BUY, "0", "0", {"state": "closed", "restricted": True}, []),
    ],
)
def test_a_share(side: Side, qty: str, net: str, facts: dict[str, object], codes: list[str]) -> None:
    known = AccountFacts(**{"state": "active", **RICH, **facts})  # type: ignore[arg-type]
    found = checks_of(side, D(qty), D(net), known)
    assert [check.code for check in found] == codes
    assert all(check.sentence.endswith(".") for check in found)


def test_what_is_missing_is_said_to_the_penny() -> None:
    (check,) = checks_of(BUY, D(10), D("-1000.01"), AccountFacts("active", cash=D(999), currency="GBP"))
    assert check.sentence == "1.01 GBP is missing to pay for it."


def test_a_restriction_is_not_explained() -> None:
    (check,) = checks_of(BUY, D(1), D(-1), AccountFacts("active", cash=D(9), restricted=True))
    assert check.sentence == "Restricted: contact compliance."
