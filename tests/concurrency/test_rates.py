"""Messages at the same moment: everything is counted, and a bucket goes over by no more than there were at once."""

from __future__ import annotations

from decimal import Decimal
from functools import partial

import pytest

from kernel.clock import utc_now
from orders.domain.results import CaptureResult
from orders.services.capture_order import capture_order
from risk.domain.rates import RateKind
from risk.models import RateBucket
from tests.concurrency.threads import together
from tests.factories import AT, DeskWorld, make_account, make_desk, terms
from tests.factories.rates import SLOW_S, slow_mark

pytestmark = pytest.mark.django_db(transaction=True)
AT_ONCE = 6


def test_one_source_with_many_accounts_at_once() -> None:
    world = make_desk()
    codes = [make_account(f"A{n}", group=world.group, cash="100000").code for n in range(AT_ONCE)]
    slow_mark(RateKind.USER, burst=AT_ONCE - 2)
    results = together([partial(_capture, world, code) for code in codes])
    released = sum(result.outcome == "released" for result in results)
    assert AT_ONCE - 2 <= released <= AT_ONCE
    ahead = RateBucket.objects.get(subject=world.dealer.actor).full_at - utc_now()
    assert abs(ahead.total_seconds() - released * SLOW_S) < 60  # every one that passed was counted
    assert _capture(world, codes[0], "later").outcome == "refused"


def test_one_account_at_once() -> None:
    world = make_desk()
    slow_mark(RateKind.ACCOUNT, burst=3)
    results = together([partial(_capture, world, world.account.code, f"k{n}") for n in range(AT_ONCE)])
    released = sum(result.outcome == "released" for result in results)
    assert 3 <= released <= AT_ONCE
    ahead = RateBucket.objects.get(subject=f"account:{world.account.pk}").full_at - utc_now()
    assert abs(ahead.total_seconds() - released * SLOW_S) < 60
    assert _capture(world, world.account.code, "later").outcome == "refused"


def _capture(world: DeskWorld, code: str, key: str = "") -> CaptureResult:
    return capture_order(
        actor=world.dealer, at=AT, idempotency_key=key or code, route="api",
        terms=terms(world, account=code, order_qty=Decimal(100)), source="api",
    )  # fmt: skip
