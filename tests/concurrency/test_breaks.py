"""Breaks and what they stop: killed between, said by two at once."""

from __future__ import annotations

from datetime import timedelta

import pytest

from authorisation.models import ApprovalPolicy
from journal.models import Event
from orders.models import Execution, FiledReport
from reconciliation.models import Break
from reconciliation.services.settle_policies import settle_policies
from risk.models import Block
from tests.concurrency.test_crash_points import chains_hold, killed_at
from tests.concurrency.threads import together
from tests.factories import AT
from tests.factories.breaks import Repairing, make_break, make_run, set_policy, their_fill
from tests.factories.trading import Desk

pytestmark = pytest.mark.django_db(transaction=True)


def make_two() -> None:
    set_policy("block_instrument")
    order = Desk().buy()
    run = make_run()
    make_break(order, run=run)
    make_break(order, run=run)


def blocked() -> tuple[int, int, int]:
    """Blocks that stand, breaks that say so, events of it."""
    return (
        Block.objects.filter(source__startswith="break:", lifted_at=None).count(),
        Break.objects.exclude(effect="").count(),
        Event.objects.filter(kind="BreakEffectChanged").count(),
    )


@pytest.mark.parametrize(("point", "kept"), [("policy.written", 0), ("policy.settled", 1), ("policy.settled:2", 2)])
def test_killed_between_two_breaks_the_sweeper_goes_on_where_it_was(point: str, kept: int) -> None:
    make_two()
    killed_at(point, lambda: settle_policies(at=AT, batch=1))
    assert blocked() == (kept, kept, kept)
    assert settle_policies(at=AT).changed == 2 - kept
    assert blocked() == (2, 2, 2)
    assert chains_hold()


def test_two_sweepers_at_once_impose_each_block_once() -> None:
    make_two()
    results = together([lambda: settle_policies(at=AT)] * 2)
    assert sum(result.changed for result in results) == 2
    assert blocked() == (2, 2, 2)
    assert chains_hold()


def test_a_repair_killed_before_its_commit_may_be_decided_again_and_two_deciders_book_once() -> None:
    if not ApprovalPolicy.objects.filter(kind="break_repair").exists():
        ApprovalPolicy.objects.create(
            kind="break_repair", version=1, checkers=1, right="decide_break", patience_s=3600, claim_s=120,
            stops_clock=False, effective_from=AT - timedelta(days=1),
        )  # fmt: skip
    house = Repairing(Desk())
    order = house.working()
    asked = house.ask(make_break(order, theirs=their_fill(order)), "book_execution")
    killed_at("repair.written", lambda: house.decide(asked))
    assert (Execution.objects.count(), FiledReport.objects.count(), Break.objects.get().state) == (0, 0, "open")
    results = together([lambda: house.decide(asked)] * 2)
    assert [getattr(result, "outcome", "refused") for result in results].count("applied") == 1
    assert (Execution.objects.count(), FiledReport.objects.count(), Break.objects.get().state) == (1, 1, "closed")
    assert chains_hold()
