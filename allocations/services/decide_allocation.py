"""A second person's word on how a block is divided: bound to the block as it was and to the plan that was shown, booked at once."""

from __future__ import annotations

from uuid import UUID

from allocations.domain.second_person import Wanted
from allocations.locks import lock_blocks
from allocations.models import Block
from allocations.selectors.cases import KIND, read_case, require_plan
from allocations.selectors.seeing import visible_blocks
from allocations.services.book_allocation import OPEN_STATES, book_case, hold_turns
from authorisation.models import User
from authorisation.selectors import get_principal
from authorisation.services.decide_request import Applied, Asking, NotApplied, Subject
from kernel.errors import NotFound


def _load(asking: Asking) -> Block:
    block_id = UUID(asking.payload["block_id"])
    block = lock_blocks([block_id]).get(block_id)
    if block is None or not visible_blocks(asking.actor).filter(pk=block.pk).exists():
        raise NotFound("AUTHORISATION_UNKNOWN", "There is no such request that you may see.")
    return block


def _apply(asking: Asking, block: Block) -> Applied:
    asked = asking.payload
    if block.version != asked["block_version"] or block.state not in OPEN_STATES:
        raise NotApplied(f"{block.ref} has changed since it was proposed: propose it again.")
    wanted = Wanted.from_json(asked)
    hold_turns(block, wanted)
    maker = get_principal(User.objects.get(pk=asking.facts.maker_id))
    case = read_case(actor=maker, at=asking.at, block=block, wanted=wanted)
    plan = require_plan(case)
    if plan.digest != asked["plan"]:
        raise NotApplied("The same lines come to other shares now: propose it again.")
    done = book_case(case, plan, actor=asking.actor, at=asking.at, why=asked["reason"] or "booked anew")
    parked = f"; {done.parked} of them are parked" if done.parked else ""
    return Applied(f"{block.ref} is allocated to {done.booked + done.parked:,} accounts{parked}.")


def _free(asking: Asking, block: Block) -> str:
    block.request_id = None
    block.save(update_fields=["request_id"])
    return f"{block.ref} stays as it is."


def _give_up(asking: Asking, block: Block, why: str) -> None:
    _free(asking, block)


_SUBJECT = Subject(KIND, _load, _apply, _free, _give_up)
decide_allocation = _SUBJECT.decide
"""Approve or decline.

Raises as ``authorisation.services.decide_request`` does; then nothing changed.
"""
