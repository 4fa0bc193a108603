"""What the database itself holds of post-trade: figures that were booked stay, states move along their table, nothing goes."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.utils import DatabaseError

from allocations.domain.telling import told
from allocations.models import Allocation, Block
from tests.factories import AT, make_account, make_desk
from tests.factories.allocations import booked_block, direct_trade, reversed_block, told_block, told_line

pytestmark = pytest.mark.django_db


def refused(sql: str) -> None:
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql)


def test_what_was_booked_stays_and_moves_along_its_table() -> None:
    world = make_desk()
    clients = [make_account(f"C-{n}", group=world.group) for n in range(3)]
    made = booked_block(world, [(clients[0], 333), (clients[1], 333), (clients[2], 334)])

    assert sum(line.gross for line in made.lines) == made.block.cash
    assert [(event.kind, event.payload["part"]) for event in made.events] == [("AllocationBooked", 1)]
    assert told(made.events[0].payload) == [(told_block(made.block), told_line(line)) for line in made.lines]
    for change in (
        "qty = qty + 1",
        "gross = gross + 1, net = net + 1",
        "account_id = gen_random_uuid()",
        "net = net + 1",
    ):
        refused(f"UPDATE allocations_allocation SET {change}")
    refused("DELETE FROM allocations_allocation")
    refused("UPDATE allocations_block SET state = 'forming'")
    refused("UPDATE allocations_block SET state = 'dissolved'")  # it is not empty
    with pytest.raises(IntegrityError), transaction.atomic():
        booked_block(world, [(clients[0], 1)], number=1)

    reversed_block(made, at=AT + timedelta(minutes=1))

    assert set(Allocation.objects.values_list("state", flat=True)) == {"reversed"}
    refused("UPDATE allocations_allocation SET state = 'booked'")
    direct = direct_trade(world)
    assert Block.objects.get(pk=direct.block.pk).kind == "direct"
