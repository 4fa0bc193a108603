"""Book a block anew whose executions are no longer those that were booked: as it was wanted, on what is left (ADR 0047).

For our own processes, after a bust, a correction or a late trade. Lines that have not settled are reversed and booked anew; settled
ones are compensated by trades of today (``_round``). Where what was wanted cannot be done any more (quantities typed for another
sum), what is there is divided in proportion to what each account had: nobody chooses. Of nothing nothing is left, and the block
is dissolved.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.db import transaction

from accounts.models import TradingAccount
from allocations.domain import transitions as moves
from allocations.domain.lines import NotAllocated
from allocations.domain.second_person import Wanted
from allocations.domain.words import Method
from allocations.locks import lock_blocks
from allocations.models import Allocation, Block
from allocations.selectors.cases import read_case
from allocations.services._matters import tell_round
from allocations.services._round import BookedRound, Proposed, book_round
from allocations.services.book_allocation import hold_turns
from authorisation.domain.principal import Principal
from kernel.collecting import no_collecting
from kernel.errors import Conflict, Invalid, InvariantBroken, NotPermitted
from kernel.numbers import plain


@no_collecting()
def rebook_allocation(*, actor: Principal, at: datetime, block_id: UUID, why: str) -> BookedRound | None:
    """Book it anew; None where it is not *changed* (any more). ``why`` is told with every line.

    Raises NotPermitted PERSON_NOT_ALLOWED to people, Conflict BLOCK_NOT_ALLOCABLE for a direct block or one that is not there.
    """
    if not actor.is_process:
        raise NotPermitted("PERSON_NOT_ALLOWED", "A block is booked anew by the house when its executions change.")
    with transaction.atomic():
        block = lock_blocks([block_id]).get(block_id)
        if block is None or block.kind != Block.Kind.BLOCK:
            raise Conflict("BLOCK_NOT_ALLOCABLE", "There is no such block that was allocated.")
        if block.state != moves.CHANGED:
            return None
        proposed = _proposed(block, actor, at) if block.qty else None
        done = book_round(block=block, proposed=proposed, actor=actor, at=at, why=why)
        tell_round(block, done, actor=actor, at=at)
        return done


def _proposed(block: Block, actor: Principal, at: datetime) -> Proposed:
    """What was wanted on what is there now; else in proportion to what each account had."""
    kept = block.parameters.get("wanted")
    if kept:
        wanted = Wanted.from_json(kept)
        hold_turns(block, wanted)
        try:
            case = read_case(actor=actor, at=at, block=block, wanted=wanted)
            if not isinstance(case.plan, NotAllocated):
                return Proposed(case, case.plan)
        except Invalid:  # an account or a scheme that is no more: what each had still says how
            pass
    case = read_case(actor=actor, at=at, block=block, wanted=_as_it_was(block))
    if isinstance(case.plan, NotAllocated):
        raise InvariantBroken("BLOCK_NOT_DIVIDED", f"{block.ref}: {case.plan.sentence}")
    return Proposed(case, case.plan)


def _as_it_was(block: Block) -> Wanted:
    rows = Allocation.objects.filter(block=block, state__in=[moves.BOOKED, moves.PARKED], qty__gt=0).order_by("number")
    had: defaultdict[UUID, Decimal] = defaultdict(Decimal)
    for account_id, side, qty in rows.values_list("account_id", "side", "qty"):
        had[account_id] += qty if side == block.side else -qty
    codes = dict(TradingAccount.objects.filter(pk__in=list(had)).values_list("id", "code"))
    lines = [{"account": codes[account_id], "weight": plain(qty)} for account_id, qty in had.items() if qty]
    return Wanted(Method.WEIGHTS.value, "", lines, {})
