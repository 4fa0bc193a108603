"""Two blocks of one rotation that are booked at the same moment: one goes on where the other ended, never both at one mark."""

from __future__ import annotations

import pytest
from django.db import transaction

from allocations.domain.methods import turns_from_json
from allocations.models import Block, Scheme
from allocations.services.book_allocation import BookedAllocation, book_allocation
from kernel.ids import new_id
from tests.concurrency.threads import together
from tests.factories import AT
from tests.factories.allocations import open_block
from tests.factories.blocks import HOUSE, block_world

pytestmark = pytest.mark.django_db(transaction=True)


def test_two_blocks_of_one_rotation_at_once() -> None:
    with transaction.atomic():
        world = block_world()
        world.traded((1000, "72.50"))
        turns = [{"account": "C1", "turn": "100"}, {"account": "C2", "turn": "100"}]
        Scheme.objects.create(
            code="TURNS", version=1, name="In turns", method="rotation", lines=turns, wash_account=world.wash,
            books_alone=True, event_id=new_id(), recorded_at=AT,
        )  # fmt: skip
        refs = [
            open_block(world.desk, [(100, "72.50")], wash=world.wash, number=number).ref for number in (101, 102, 103)
        ]

    def booking(ref: str) -> BookedAllocation:
        return book_allocation(
            actor=HOUSE, at=AT, idempotency_key=ref, block_ref=ref, method="rotation", scheme="TURNS", lines=turns
        )

    done = together([lambda ref=ref: booking(ref) for ref in refs])  # type: ignore[misc]
    assert [one.outcome for one in done] == ["booked"] * 3
    kept = Block.objects.filter(scheme="TURNS").values_list("parameters", flat=True)
    starts = [turns_from_json(parameters["turns"]).start for parameters in kept]
    assert sum(start is None for start in starts) == 1  # one was the first of the rotation
    places = sorted((start.place for start in starts if start), key=int)
    assert places == [0, 1]
