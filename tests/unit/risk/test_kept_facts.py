"""What a decision saw can be read back whole and judged again to the same answers."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from uuid import UUID

import orjson
import pytest

from risk.domain.checks import CHECKS, REGISTRY_VERSION, run_checks
from risk.domain.facts import Facts
from risk.domain.kept_facts import facts_of, facts_to_bytes, rulebook_number
from tests.unit.risk.conduct_cases import CASES, QUOTED
from tests.unit.risk.test_checks import CASES as ALL
from tests.unit.risk.world import BLOCK, FACTS, LISTING, replacing

RICH = replace(
    FACTS,
    blocks=(BLOCK,),
    listing=replace(LISTING, price=replace(QUOTED, tick=UUID(int=7)), average_daily_volume=Decimal("1.50")),
)


def again(facts: Facts) -> Facts:
    """Kept, read, and given back what is kept elsewhere."""
    kept = facts_of(orjson.loads(facts_to_bytes(facts, registry=REGISTRY_VERSION)))
    return replace(
        kept,
        limits=facts.limits,
        rates=facts.rates,
        listing=replace(kept.listing, ticks=facts.listing.ticks),
        conduct=replace(kept.conduct, rulebook=facts.conduct.rulebook),
    )


@pytest.mark.parametrize("facts", [FACTS, RICH, replacing("900", changed=("price", "order_qty"))])
def test_facts_come_back_equal(facts: Facts) -> None:
    assert again(facts) == facts


def test_every_case_is_judged_again_to_the_same_answers() -> None:
    for code, case, facts, _ in [*ALL, *CASES]:
        assert run_checks(again(facts), on_desk=True) == run_checks(facts, on_desk=True), (code, case)
    assert len(CHECKS) > 30


def test_the_versions_that_judged_travel_with_the_facts() -> None:
    kept = orjson.loads(facts_to_bytes(RICH, registry="r7"))
    assert (kept["v"], kept["registry"], rulebook_number(kept)) == (1, "r7", 1)
    assert kept["facts"]["listing"]["price"]["tick"] == str(UUID(int=7))
    assert kept["facts"]["limits"] == []


def test_a_decision_stays_small() -> None:
    assert len(facts_to_bytes(RICH, registry=REGISTRY_VERSION)) < 2600
