"""What may wait for a session that is down, what may not, and for how long."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from kernel.fix import OrdType, TimeInForce
from venues.domain.messages import IntentKind
from venues.domain.waiting import Verdict, judge

T0 = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)


def verdict(
    kind: IntentKind, ord_type: OrdType, tif: TimeInForce, *, after_s: float, not_after_s: float = 3600
) -> tuple[Verdict, str]:
    return judge(
        kind=kind,
        ord_type=ord_type,
        time_in_force=tif,
        created_at=T0,
        not_after=T0 + timedelta(seconds=not_after_s),
        wait_s=15,
        now=T0 + timedelta(seconds=after_s),
    )


@pytest.mark.parametrize(
    ("ord_type", "tif"),
    [
        (OrdType.MARKET, TimeInForce.DAY),
        (OrdType.MARKET, TimeInForce.IOC),
        (OrdType.LIMIT, TimeInForce.IOC),
        (OrdType.LIMIT, TimeInForce.FOK),
        (OrdType.STOP_LIMIT, TimeInForce.FOK),
    ],
)
def test_what_late_would_be_another_order_is_refused_at_once(ord_type: OrdType, tif: TimeInForce) -> None:
    assert verdict(IntentKind.NEW, ord_type, tif, after_s=0) == (Verdict.REFUSE, "SESSION_DOWN")


@pytest.mark.parametrize("ord_type", [OrdType.LIMIT, OrdType.STOP, OrdType.STOP_LIMIT])
def test_others_wait_and_are_then_refused(ord_type: OrdType) -> None:
    assert verdict(IntentKind.NEW, ord_type, TimeInForce.DAY, after_s=14.999) == (Verdict.WAIT, "")
    assert verdict(IntentKind.NEW, ord_type, TimeInForce.DAY, after_s=15) == (Verdict.REFUSE, "WAITED_TOO_LONG")


def test_an_auction_order_waits_only_up_to_its_cut_off() -> None:
    before = verdict(IntentKind.NEW, OrdType.MARKET, TimeInForce.AT_OPEN, after_s=4, not_after_s=5)
    after = verdict(IntentKind.NEW, OrdType.LIMIT, TimeInForce.AT_CLOSE, after_s=5, not_after_s=5)
    assert before == (Verdict.WAIT, "")
    assert after == (Verdict.REFUSE, "AUCTION_MISSED")


@pytest.mark.parametrize("kind", [IntentKind.CANCEL, IntentKind.REPLACE])
def test_a_cancel_or_replace_of_a_market_order_waits(kind: IntentKind) -> None:
    assert verdict(kind, OrdType.MARKET, TimeInForce.IOC, after_s=10) == (Verdict.WAIT, "")
    assert verdict(kind, OrdType.MARKET, TimeInForce.IOC, after_s=16) == (Verdict.REFUSE, "WAITED_TOO_LONG")


def test_an_order_that_expires_while_waiting_is_refused() -> None:
    late = verdict(IntentKind.NEW, OrdType.LIMIT, TimeInForce.GTD, after_s=3, not_after_s=3)
    assert late == (Verdict.REFUSE, "WAITED_TOO_LONG")
