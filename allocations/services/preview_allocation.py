"""What a block would be allocated like, with everything a person should know before booking it. Nothing is locked or written.

The case, the facts of accounts, the schedules and the checks are those the booking reads under its locks: the two differ only by what
happened between them, and the digest of the plan tells.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from itertools import repeat
from typing import Any, NamedTuple
from uuid import UUID

import orjson

from accounts.selectors import visible_accounts
from allocations.domain import transitions as moves
from allocations.domain.allocating import Plan
from allocations.domain.block import from_units
from allocations.domain.lines import NotAllocated
from allocations.domain.second_person import Wanted, Why
from allocations.domain.weighed_text import lines_text
from allocations.domain.weighing import Standing, Weighed, WeighedLine, left_out, taken_back, weigh
from allocations.models import Allocation, Block
from allocations.permissions import require_allocate
from allocations.selectors.account_facts import read_known
from allocations.selectors.cases import Beforehand, Case, read_beforehand, read_case, require_plan
from allocations.selectors.seeing import get_block
from authorisation.domain.principal import Principal
from kernel.collecting import no_collecting
from kernel.errors import Invalid, Refused
from kernel.fix import Side
from kernel.numbers import ZERO, Money, plain

NOT_SEEN = "accounts that you may not see"


@dataclass(frozen=True)
class AllocationPreview:
    """The plan of a block with its costs and checks.

    ``whys``: why somebody else must decide before it is booked; none: one person books alone. ``said``: what the block is allocated by
    when nobody says otherwise, None when nothing was said. ``again``: it is booked; lines are compared with those that stand, else
    with what ``said`` gives. ``left_out``: what accounts have, or would have, by that and are no line here.
    """

    case: Case
    plan: Plan
    weighed: Weighed
    said: Wanted | None
    again: bool
    left_out: Mapping[str, Decimal]

    @property
    def lines(self) -> list[WeighedLine]:
        """Line by line."""
        return self.weighed.lines

    @property
    def block(self) -> Block:
        return self.case.block

    @property
    def whys(self) -> tuple[Why, ...]:
        return self.case.whys

    @property
    def digest(self) -> str:
        """Names the plan; hand it to the booking, which refuses another one."""
        return self.plan.digest

    @property
    def qty(self) -> Decimal:
        return self.weighed.qty

    @property
    def gross(self) -> Decimal:
        """Money of all lines without charges; with the residual it is what the block was booked at."""
        return self.weighed.gross

    @property
    def fees(self) -> Decimal:
        return self.weighed.fees

    @property
    def parked(self) -> int:
        """How many lines would go to suspense."""
        return len(self.weighed.checks)

    @property
    def differing(self) -> int:
        """How many accounts get something else than stands, or than was said beforehand."""
        return len(self.left_out) + self.weighed.differing


def preview_allocation(
    *,
    actor: Principal,
    at: datetime,
    block_ref: str,
    method: str = "",
    scheme: str = "",
    lines: Sequence[Mapping[str, Any]] | None = None,
    parameters: Mapping[str, Any] | None = None,
) -> AllocationPreview:
    """The block divided as asked: typed ``lines``, else ``scheme``, else what was said beforehand.

    Raises NotPermitted RIGHT_MISSING, NotFound BLOCK_UNKNOWN, Refused BLOCK_DIRECT, BLOCK_DISSOLVED, Invalid METHOD_MISSING, and Invalid
    as ``read_case`` and under the codes of ``AllocationCode``.
    """
    require_allocate(actor)
    block = get_block(actor, block_ref)
    require_allocatable(block)
    with no_collecting():
        beforehand = read_beforehand(block)
        said = beforehand.said
        wanted = _wanted(said, method, scheme, lines, parameters)
        case = read_case(actor=actor, at=at, block=block, wanted=wanted, beforehand=beforehand, with_means=True)
        plan = require_plan(case)
        known = read_known(case, at=at)
        stands = _standing(block)
        side = Side(block.side)
        facts = known.columns
        if stands:
            facts = taken_back(facts, known.ids, [(one.booked_in, Standing(one.qty, one.net)) for one in stands], side)
        weighed = weigh(plan, side, case.named.codes, facts, known.selected, known.earlier)
        before = _Before.of(stands) if stands else _said_before(actor, at, case, beforehand)
        missing: Mapping[str, Decimal] = {}
        if before is not None:
            weighed = replace(weighed, said=before.units_of(known.ids))
            missing = _named(actor, left_out(plan, before.shares), before.codes)
        elif said is not None and said.says_as(case.wanted):
            weighed = replace(weighed, said=[one.qty for one in weighed.sized])
    return AllocationPreview(case, plan, weighed, said, bool(stands), missing)


def _named(actor: Principal, left: Mapping[UUID, Decimal], codes: Mapping[UUID, str]) -> dict[str, Decimal]:
    """Units by what accounts are called; those the actor may not see together under :data:`NOT_SEEN`."""
    if not left or actor.is_process:
        return {codes[one]: qty for one, qty in left.items()}
    seen = set(visible_accounts(actor).filter(pk__in=list(left)).values_list("pk", flat=True))
    found = {codes[one]: qty for one, qty in left.items() if one in seen}
    hidden = [qty for one, qty in left.items() if one not in seen]
    return {**found, **({NOT_SEEN: sum(hidden, ZERO)} if hidden else {})}


def require_allocatable(block: Block) -> None:
    """Raise Refused BLOCK_DIRECT or BLOCK_DISSOLVED: of such a block nobody chooses who it is for."""
    if block.kind == Block.Kind.DIRECT:
        raise Refused(
            "BLOCK_DIRECT", f"{block.ref} is of an order for the account's own: there is nothing to allocate."
        )
    if block.state == moves.DISSOLVED:
        raise Refused("BLOCK_DISSOLVED", f"Nothing of {block.ref} is left.")


def _wanted(
    said: Wanted | None,
    method: str,
    scheme: str,
    lines: Sequence[Mapping[str, Any]] | None,
    parameters: Mapping[str, Any] | None,
) -> Wanted:
    if lines is not None:
        return Wanted(method, scheme, lines, parameters)
    if scheme and not (said and said.scheme == scheme):
        return Wanted(method, scheme)
    if said is None:
        raise Invalid("METHOD_MISSING", "Nothing was said beforehand of this block: choose a method or a scheme.")
    return said


class _Line(NamedTuple):
    """A line that stands; a parked one is booked in suspense."""

    account_id: UUID
    account: str
    booked_in: UUID
    qty: Decimal
    net: Decimal


def _standing(block: Block) -> list[_Line]:
    if not block.round:
        return []
    rows = Allocation.objects.filter(
        block=block, state__in=[moves.BOOKED, moves.PARKED], compensates=None, is_rounding=False
    ).order_by("number")
    return [_Line(*row) for row in rows.values_list("account_id", "account__code", "booked_account_id", "qty", "net")]


@dataclass(frozen=True, slots=True)
class _Before:
    """What lines are compared with: units by account, and what the accounts are called."""

    shares: Mapping[UUID, Decimal]
    codes: Mapping[UUID, str]

    @classmethod
    def of(cls, stands: Sequence[_Line]) -> _Before:
        return cls({one.account_id: one.qty for one in stands}, {one.account_id: one.account for one in stands})

    def units_of(self, account_ids: Sequence[UUID]) -> list[Decimal]:
        """What each of these accounts has by them; who is no line of them has nothing."""
        return list(map(self.shares.get, account_ids, repeat(ZERO)))


def _said_before(actor: Principal, at: datetime, case: Case, beforehand: Beforehand) -> _Before | None:
    """What was said beforehand gives on these executions, where it is not what is asked for; None also where it gives no answer, or names
    accounts nobody here may see."""
    said = beforehand.said
    if said is None or said.says_as(case.wanted):
        return None
    try:
        other = read_case(actor=actor, at=at, block=case.block, wanted=said, beforehand=beforehand)
    except Invalid:
        return None
    if isinstance(other.plan, NotAllocated):
        return None
    shares = other.plan.allocation
    return _Before(dict(zip(shares.account_ids, map(from_units, shares.units), strict=True)), other.codes)


def preview_json(preview: AllocationPreview) -> bytes:
    """The preview for programs: decimals as text, money signed as the account sees it; ``value`` is not signed."""
    plan, worth = preview.plan, preview.case.worth
    body = {
        "block": preview.block.ref,
        "method": preview.case.wanted.method,
        "scheme": preview.case.wanted.scheme,
        "avg_px": plain(plan.printed_px),
        "value": _money_json(worth.own),
        "firm_value": _money_json(worth.firm) if worth.firm else None,
        "qty": plain(preview.qty),
        "gross": plain(preview.gross),
        "residual": plain(plan.residual),
        "fees": plain(preview.fees),
        "is_partial": plan.allocation.partial,
        "needs_second_person": [{"code": why.code.value, "sentence": why.sentence} for why in preview.whys],
        "digest": preview.digest,
        "left_out": {code: plain(qty) for code, qty in preview.left_out.items()},
        "lines": orjson.Fragment(lines_text(preview.weighed)),
    }
    return orjson.dumps(body)


def _money_json(money: Money) -> dict[str, str]:
    return {"amount": plain(money.amount), "currency": money.currency}
