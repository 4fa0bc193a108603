"""A rotation over many blocks: each begins where the last ended, whichever of them is booked again, and keeps its own beginning."""

from __future__ import annotations

import random
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import transaction

from allocations.domain.lines import NotAllocated, RotationMark
from allocations.domain.methods import mark_from_json, turns_from_json
from allocations.domain.second_person import Wanted
from allocations.models import Allocation, Block, BlockFill
from allocations.selectors.cases import read_case
from allocations.services._round import Proposed, book_round
from tests.factories import AT
from tests.factories.allocations import open_block
from tests.factories.blocks import HOUSE, BlockWorld, block_world

pytestmark = pytest.mark.django_db
TURNS = [{"account": "C1", "turn": "300"}, {"account": "C2", "turn": "200"}, {"account": "C3", "turn": "100"}]
ROTATION = Wanted("rotation", "IN-TURNS", TURNS, {})
BY_HAND = Wanted("weights", "", [{"account": "C1", "weight": "1"}], {})


class Turning:
    """Blocks of a wash account that are booked by turns, at moments a minute apart."""

    def __init__(self) -> None:
        self.world: BlockWorld = block_world(cash="1000000")
        self.world.traded((1000, "72.50"))  # the firm's account has stock to give
        self.minutes = 0
        self.blocks: list[Block] = []

    def executed(self, qty: int) -> Block:
        number = 100 + len(self.blocks)
        made = open_block(self.world.desk, [(qty, "72.50")], wash=self.world.wash, number=number)
        self.blocks.append(made)
        return made

    def booked(self, block: Block, wanted: Wanted = ROTATION) -> dict[str, int]:
        """Booked (again); units by account."""
        self.minutes += 1
        at = AT + timedelta(minutes=self.minutes)
        with transaction.atomic():
            block = Block.objects.select_for_update().select_related("listing__instrument").get(pk=block.pk)
            case = read_case(actor=HOUSE, at=at, block=block, wanted=wanted)
            assert not isinstance(case.plan, NotAllocated)
            book_round(block=block, proposed=Proposed(case, case.plan), actor=HOUSE, at=at, why="test")
        return self.shares(block)

    def corrected(self, block: Block, qty: int) -> None:
        """Its one execution is of another quantity now."""
        block = Block.objects.get(pk=block.pk)
        sign, money = (1 if block.cash > 0 else -1), Decimal("0.725") * qty
        BlockFill.objects.filter(block=block).update(qty=qty, cash=sign * money)
        block.change()
        block.qty, block.notional, block.cash = Decimal(qty), Decimal("72.5") * qty, sign * money
        block.save()

    def shares(self, block: Block) -> dict[str, int]:
        lines = Allocation.objects.filter(block=block, state="booked", is_rounding=False).order_by("account__code")
        return {code: int(qty) for code, qty in lines.values_list("account__code", "qty")}

    def kept(self, block: Block) -> tuple[RotationMark | None, RotationMark | None]:
        """Where the rotation began in it, and where it ended."""
        parameters: dict[str, Any] = Block.objects.get(pk=block.pk).parameters
        end = parameters["rotation"]
        return turns_from_json(parameters["turns"]).start, mark_from_json(end) if end else None


def test_an_older_block_booked_again_begins_where_it_began_and_moves_nobody_else() -> None:
    house = Turning()
    first, second = house.executed(400), house.executed(250)
    assert house.booked(first) == {"C1": 300, "C2": 100}
    assert house.booked(second) == {"C1": 50, "C2": 100, "C3": 100}
    newest = house.kept(second)

    house.corrected(first, 100)  # it began with C1, who takes all that is left
    assert house.booked(first) == {"C1": 100}
    assert house.kept(second) == newest
    third = house.executed(100)
    assert house.booked(third) == {"C1": 100}  # where the second ended, 50 of C1's turn used
    assert house.kept(third)[0] == newest[1]

    house.booked(second, BY_HAND)  # by another method it takes no turns; asked for again, it has its old place
    assert house.booked(second) == {"C1": 50, "C2": 100, "C3": 100}
    assert house.kept(second) == newest
    house.corrected(third, 200)
    assert house.booked(third) == {"C1": 200}
    fourth = house.executed(60)
    assert house.booked(fourth) == {
        "C1": 50,
        "C2": 10,
    }  # the newest one was corrected itself: the rotation goes on from there


@pytest.mark.parametrize("seed", range(3))
def test_whatever_is_booked_again_the_chain_of_first_bookings_stands(seed: int) -> None:
    """Random blocks and corrections: every block begins where it first began, and a new one where the newest ends now."""
    dice, house = random.Random(seed), Turning()
    began: dict[Any, RotationMark | None] = {}
    for _ in range(9):
        if house.blocks and dice.random() < 0.5:
            block = dice.choice(house.blocks)
            if dice.random() < 0.7:
                house.corrected(block, dice.randrange(1, 9) * 50)
            house.booked(block)
            assert house.kept(block)[0] == began[block.pk]
            continue
        before = house.kept(house.blocks[-1])[1] if house.blocks else None
        block = house.executed(dice.randrange(1, 13) * 50)
        house.booked(block)
        began[block.pk] = before
        assert house.kept(block)[0] == before
    for block in house.blocks:
        assert sum(house.shares(block).values()) == Block.objects.get(pk=block.pk).qty
