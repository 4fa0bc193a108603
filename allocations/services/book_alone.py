"""Sweeper: what is complete and was said before is booked without a person, where the default of its account says so.

Only a first division, only as intended or as the default: a second person's word on the scheme was the word on this. What cannot be
booked like that stands as a matter until a person books it.
"""

from __future__ import annotations

from datetime import datetime

from allocations.domain import transitions as moves
from allocations.models import Block
from allocations.selectors.cases import find_default_scheme, read_beforehand
from allocations.services._matters import set_stands
from allocations.services.book_allocation import book_allocation, is_waiting
from authorisation.domain.principal import process_principal
from kernel.errors import InvariantBroken, OmsError, Unavailable

ACTOR = process_principal("allocations")
SLICE = 200


def book_alone(*, at: datetime) -> int:
    """How many were booked; again at once, none. Each is a transaction of its own."""
    rows = Block.objects.filter(kind=Block.Kind.BLOCK, state=moves.READY, round=0, qty__gt=0)
    return sum(_book(block, at=at) for block in rows.select_related("listing").order_by("id")[:SLICE])


def _book(block: Block, *, at: datetime) -> bool:
    beforehand = read_beforehand(block)
    scheme, said = find_default_scheme(block, beforehand.traded), beforehand.said
    if scheme is None or not scheme.books_alone or said is None or is_waiting(block):
        return False
    try:
        book_allocation(
            actor=ACTOR, at=at, idempotency_key=f"alone:{block.id}:{block.version}", block_ref=block.ref,
            method=said.method, scheme=said.scheme, lines=said.lines, parameters=said.parameters,
        )  # fmt: skip
    except (InvariantBroken, Unavailable):
        raise
    except OmsError as error:
        set_stands(block, error.sentence, actor=ACTOR, at=at)
        return False
    return True
