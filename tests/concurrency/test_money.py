"""Many hands on one account at the same moment: captures, short sales, replaces, cancels and withdrawals on real connections."""

from __future__ import annotations

import random
from functools import partial

import pytest

from accounts.models import CashBalance
from authorisation.models import AuthorisationRequest
from tests.concurrency.threads import together
from tests.factories.dealing import Dealing, prove_money

pytestmark = pytest.mark.django_db(transaction=True)

ACTS = ("buy", "sell", "short", "replace", "cancel", "withdraw", "approve", "decline")


def work(dealing: Dealing, seed: int) -> int:
    """Twelve steps of one hand; how many the house took. A step that it refuses is no failure, any other error is."""
    chance, taken = random.Random(seed), 0
    for _ in range(12):
        step = (chance.choice(ACTS), chance.choice([50, 100, 300, 500]), chance.randrange(6))
        taken += bool(dealing.attempt(*step))
    return taken


@pytest.mark.parametrize("seed", [1, 2])
def test_hands_at_once_never_overdraw_and_the_books_add_up(seed: int) -> None:
    dealing = Dealing()
    taken = together([partial(work, dealing, seed * 10 + hand) for hand in range(4)])
    assert all(isinstance(count, int) for count in taken), taken
    assert sum(taken) > 8
    assert dealing.shortfalls() == {}
    prove_money()


def test_two_withdrawals_at_once_cannot_take_the_same_cash() -> None:
    dealing = Dealing()
    answers = together([partial(dealing.attempt, "withdraw", 600, 0)] * 4)
    assert sorted(answers, key=str) == [False, False, False, True]
    assert CashBalance.objects.get(account=dealing.world.account, currency="GBP").reserved == 600
    assert AuthorisationRequest.objects.count() == 1
