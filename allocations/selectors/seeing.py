"""Who sees what of post-trade: a block with its desk, what came of it with the group of the account as well."""

from __future__ import annotations

from django.db.models import Q, QuerySet

from accounts.models import TradingAccount
from allocations.models import Allocation, Block
from authorisation.domain.principal import Principal
from kernel.errors import NotFound
from orders.permissions import visible_desks, visible_groups


def visible_blocks(actor: Principal) -> QuerySet[Block]:
    """Blocks that exist for the actor. Our own processes see all."""
    blocks = Block.objects.all()
    return blocks if actor.is_process else blocks.filter(desk_id__in=visible_desks(actor))


def allocation_sight(actor: Principal, *, before: str = "") -> Q:
    """The condition under which an allocation exists for the actor; ``before`` leads to it from another row (``allocation__``)."""
    if actor.is_process:
        return Q()
    accounts = TradingAccount.objects.filter(group_id__in=visible_groups(actor)).values("id")
    return Q(**{f"{before}block__desk_id__in": visible_desks(actor), f"{before}account_id__in": accounts})


def visible_allocations(actor: Principal) -> QuerySet[Allocation]:
    """Allocations that exist for the actor, as a queryset that others may filter further."""
    return Allocation.objects.filter(allocation_sight(actor))


def get_block(actor: Principal, ref: str) -> Block:
    """The block people call ``ref`` (B-12); raises NotFound BLOCK_UNKNOWN where the actor may not know of it."""
    number = _number_of(ref, "B")
    rows = visible_blocks(actor).select_related("listing__instrument")
    found = rows.filter(number=number).first() if number is not None else None
    if found is None:
        raise NotFound("BLOCK_UNKNOWN", f"There is no block {ref[:24]!r} that you may see.", {"block": ref[:24]})
    return found


def get_allocation(actor: Principal, ref: str, *, block_ref: str = "") -> Allocation:
    """The line people call ``ref`` (A-12), of the block ``block_ref`` where one is named; raises NotFound ALLOCATION_UNKNOWN."""
    number = _number_of(ref, "A")
    rows = visible_allocations(actor).select_related("account")
    if block_ref:
        rows = rows.filter(block__number=_number_of(block_ref, "B") or 0)
    found = rows.filter(number=number).first() if number is not None else None
    if found is None:
        raise NotFound("ALLOCATION_UNKNOWN", f"There is no allocation {ref[:24]!r} that you may see.")
    return found


def _number_of(ref: str, letter: str) -> int | None:
    """The number in what people call a thing; None where it is no such name."""
    head, _, number = ref.strip().upper().partition("-")
    return int(number) if head == letter and number.isascii() and number.isdigit() and len(number) < 19 else None
