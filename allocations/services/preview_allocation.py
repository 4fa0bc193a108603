"""What a block would be allocated like, with everything a person should know before booking it. Nothing is locked or written.

The case, the facts of accounts, the schedules and the checks are those the booking reads under its locks: the two differ only by what
happened between them, and the digest of the plan tells.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import orjson
from django.db.models import Sum

from allocations.domain import transitions as moves
from allocations.domain.allocating import Plan
from allocations.domain.lines import NotAllocated
from allocations.domain.second_person import Wanted, Why
from allocations.domain.weighing import Standing, WeighedLine, Who, left_out, taken_back, weigh
from allocations.models import Allocation, Block
from allocations.permissions import require_allocate
from allocations.selectors.account_facts import read_known
from allocations.selectors.cases import Case, read_case, require_plan, said_for
from allocations.selectors.seeing import get_block
from authorisation.domain.principal import Principal
from kernel.collecting import no_collecting
from kernel.errors import Invalid, Refused
from kernel.fix import Side
from kernel.numbers import ZERO, plain


@dataclass(frozen=True)
class AllocationPreview:
    """The plan of a block with its costs and checks.

    ``whys``: why somebody else must decide before it is booked; none: one person books alone. ``said``: what the block is allocated by
    when nobody says otherwise, None when nothing was said. ``left_out``: what that would give accounts that are no line here.
    """

    case: Case
    plan: Plan
    lines: list[WeighedLine]
    said: Wanted | None
    left_out: Mapping[str, Decimal]

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
        return sum((line.line.qty for line in self.lines), ZERO)

    @property
    def gross(self) -> Decimal:
        """Money of all lines without charges; with the residual it is what the block was booked at."""
        return sum((line.line.gross for line in self.lines), ZERO)

    @property
    def fees(self) -> Decimal:
        return sum((line.fees for line in self.lines), ZERO)

    @property
    def parked(self) -> int:
        """How many lines would go to suspense."""
        return sum(1 for line in self.lines if line.checks)

    @property
    def differing(self) -> int:
        """How many accounts get something else than was said beforehand."""
        return len(self.left_out) + sum(1 for line in self.lines if line.difference)


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
    said = said_for(block)
    wanted = _wanted(said, method, scheme, lines, parameters)
    with no_collecting():
        case = read_case(actor=actor, at=at, block=block, wanted=wanted)
        plan = require_plan(case)
        known = read_known(case, at=at)
        given = _given(block)
        side = Side(block.side)
        facts = {
            account_id: taken_back(one, given[account_id], side) if account_id in given else one
            for account_id, one in known.facts.items()
        }
        who = {account_id: Who(one.code, one.account_class) for account_id, one in case.accounts.items()}
        said_plan = _said_plan(actor, at, case, plan, said)
        beforehand = {line.account_id: line.qty for line in said_plan.plan.lines} if said_plan else None
        weighed = weigh(plan, side, who, facts, known.selected, known.earlier, beforehand)
    missing = left_out(plan, beforehand)
    codes = said_plan.codes if said_plan else {}
    return AllocationPreview(case, plan, weighed, said, {codes[one]: qty for one, qty in missing.items()})


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


@dataclass(frozen=True, slots=True)
class _Said:
    plan: Plan
    codes: Mapping[UUID, str]


def _said_plan(actor: Principal, at: datetime, case: Case, plan: Plan, said: Wanted | None) -> _Said | None:
    """What was said beforehand gives on these executions; None where it gives no answer, or names accounts nobody here may see."""
    if said is None:
        return None
    if said.digest == case.wanted.digest:
        return _Said(plan, {one.id: one.code for one in case.accounts.values()})
    try:
        other = read_case(actor=actor, at=at, block=case.block, wanted=said)
    except Invalid:
        return None
    if isinstance(other.plan, NotAllocated):
        return None
    return _Said(other.plan, {one.id: one.code for one in other.accounts.values()})


def _given(block: Block) -> dict[UUID, Standing]:
    """What lines that stand gave, by account they are booked in."""
    if not block.round:
        return {}
    rows = Allocation.objects.filter(block=block, state=moves.BOOKED, compensates=None, is_rounding=False)
    sums = rows.values_list("booked_account_id").annotate(Sum("qty"), Sum("net")).order_by()
    return {account_id: Standing(qty, net) for account_id, qty, net in sums}


def preview_json(preview: AllocationPreview) -> bytes:
    """The preview for programs: decimals as text, money signed as the account sees it."""
    plan = preview.plan
    body = {
        "block": preview.block.ref,
        "method": preview.case.wanted.method,
        "scheme": preview.case.wanted.scheme,
        "avg_px": plain(plan.printed_px),
        "qty": plain(preview.qty),
        "gross": plain(preview.gross),
        "residual": plain(plan.residual),
        "fees": plain(preview.fees),
        "partial": plan.allocation.partial,
        "needs_second_person": [[why.code.value, why.sentence] for why in preview.whys],
        "digest": preview.digest,
        "left_out": {code: plain(qty) for code, qty in preview.left_out.items()},
        "lines": [_line_json(one) for one in preview.lines],
    }
    return orjson.dumps(body)


def _line_json(one: WeighedLine) -> dict[str, Any]:
    line = one.line
    row: dict[str, Any] = {
        "account": one.account,
        "qty": plain(line.qty),
        "exact": plain(line.exact),
        "gross": plain(line.gross),
        "fees": plain(one.fees),
        "net": plain(one.net),
    }
    if one.charges:
        row["charges"] = [[charge.kind, charge.name, charge.version, plain(charge.amount)] for charge in one.charges]
    if one.checks:
        row["checks"] = [[check.code.value, check.sentence] for check in one.checks]
    if one.said is not None:
        row["said"] = plain(one.said)
    return row
