"""Book what each account gets of a block: now, or when a second person has said yes (ADR 0047).

One person books what was intended before the trade, or the approved default of the account, up to a mark of value. Everything else, and
every new division of a block that is booked, waits for compliance: bound to the block as it is and to the plan that was shown. A
process books only what was said before.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import transaction

from allocations.domain import transitions as moves
from allocations.domain.allocating import Plan
from allocations.domain.second_person import OF_VALUE, Wanted, Why, WhyCode
from allocations.domain.words import Method
from allocations.locks import lock_blocks, lock_turns
from allocations.models import Block
from allocations.permissions import require_allocate
from allocations.selectors.cases import KIND, Case, read_case, require_plan
from allocations.selectors.seeing import get_block
from allocations.services._matters import tell_round
from allocations.services._round import BookedRound, Proposed, book_round
from authorisation.domain.principal import Principal
from authorisation.domain.transitions import OPEN
from authorisation.models import AuthorisationRequest
from authorisation.services.raise_request import raise_request
from journal.services.claim_key import claim_key
from journal.services.store_answer import store_answer
from kernel.canonical import payload_hash
from kernel.collecting import no_collecting
from kernel.crash_points import crash_point
from kernel.errors import Conflict, Invalid, Refused
from kernel.numbers import plain

ROUTE = "allocation"
BOOKED, PENDING = "booked", "pending_authorisation"
OPEN_STATES = (moves.FORMING, moves.READY, moves.BOOKED, moves.CHANGED)


@dataclass(frozen=True, slots=True)
class BookedAllocation:
    """``outcome`` is booked or pending_authorisation; ``whys`` why a second person must look. Of a pending one nothing has moved."""

    block_ref: str
    outcome: str
    round: int
    lines: int
    parked: int
    rounding: Decimal
    error: Decimal
    authorisation_id: UUID | None = None
    whys: tuple[Why, ...] = ()


@no_collecting()
def book_allocation(
    *,
    actor: Principal,
    at: datetime,
    idempotency_key: str,
    block_ref: str,
    method: str,
    scheme: str = "",
    lines: Sequence[Mapping[str, Any]] = (),
    parameters: Mapping[str, Any] | None = None,
    reason: str = "",
    preview_hash: str | None = None,
) -> BookedAllocation:
    """Raises NotPermitted RIGHT_MISSING, NotFound BLOCK_UNKNOWN, Invalid (as ``read_case``, as the method refuses, REASON_MISSING),
    Conflict (BLOCK_NOT_ALLOCABLE, ALLOCATION_WAITS, PREVIEW_STALE, IDEMPOTENCY_CONFLICT, SUSPENSE_ACCOUNT_MISSING), Refused
    PERSON_NEEDED to a process; then nothing changed."""
    require_allocate(actor)
    wanted, reason = Wanted(method, scheme, list(lines), parameters or {}), reason.strip()
    owner = f"user:{actor.user_id}" if actor.user_id else actor.actor
    digest = payload_hash({"block": block_ref, **wanted.to_json(), "reason": reason, "preview": preview_hash})
    seen = get_block(actor, block_ref)
    with transaction.atomic():
        stored = claim_key(principal=owner, route=ROUTE, key=idempotency_key, payload_hash=digest)
        if stored is not None:
            return _answered(stored.answer)
        block = lock_blocks([seen.id])[seen.id]
        require_allocable(block)
        hold_turns(block, wanted)
        case = read_case(actor=actor, at=at, block=block, wanted=wanted)
        plan = require_plan(case)
        if preview_hash is not None and preview_hash != plan.digest:
            raise Conflict("PREVIEW_STALE", "The block has changed since it was shown: look at the preview of now.")
        done = _book_or_ask(case, plan, actor, at, reason)
        store_answer(
            principal=owner, route=ROUTE, key=idempotency_key, payload_hash=digest,
            status=200 if done.outcome == BOOKED else 202, answer=_answer(done), at=at,
        )  # fmt: skip
    crash_point("allocation.committed")
    return done


def hold_turns(block: Block, wanted: Wanted) -> None:
    """Continue a rotation alone; of what is wanted only a scheme that brings its own lines may be one without saying so."""
    if wanted.method == Method.ROTATION or (wanted.scheme and not wanted.lines):
        lock_turns(block.account_id)


def require_allocable(block: Block) -> None:
    """Raise Conflict unless the block is one to be allocated, and nobody is asked about it already."""
    if block.kind != Block.Kind.BLOCK or block.state not in OPEN_STATES:
        raise Conflict("BLOCK_NOT_ALLOCABLE", f"{block.ref} is not a block that can be allocated now.")
    if is_waiting(block):
        raise Conflict("ALLOCATION_WAITS", f"An allocation of {block.ref} waits for a second person already.")


def is_waiting(block: Block) -> bool:
    """Whether a second person is asked about the block."""
    return block.request_id is not None and AuthorisationRequest.objects.filter(
        pk=block.request_id, state__in=OPEN
    ).exists()  # fmt: skip


def _book_or_ask(case: Case, plan: Plan, actor: Principal, at: datetime, reason: str) -> BookedAllocation:
    block = case.block
    if actor.is_process:
        if any(why.code not in OF_VALUE for why in case.whys):
            raise Refused("PERSON_NEEDED", "A process books only what was said before the trade, and once.")
    elif case.whys:
        if not reason and any(why.code not in OF_VALUE for why in case.whys):
            raise Invalid("REASON_MISSING", "Say why it is divided like this.", {"reason": ["Say why."]})
        return _ask(case, plan, actor, at, reason)
    return told(block, book_case(case, plan, actor=actor, at=at, why=reason or "booked anew"))


def book_case(case: Case, plan: Plan, *, actor: Principal, at: datetime, why: str) -> BookedRound:
    """Book a plan of a block that is locked, and tell what had to be parked."""
    done = book_round(block=case.block, proposed=Proposed(case, plan), actor=actor, at=at, why=why)
    tell_round(case.block, done, actor=actor, at=at)
    return done


def told(block: Block, done: BookedRound) -> BookedAllocation:
    """What a booked round came to."""
    return BookedAllocation(
        block.ref, BOOKED, done.round, done.booked + done.parked, done.parked, done.rounding, done.error
    )


def _ask(case: Case, plan: Plan, actor: Principal, at: datetime, reason: str) -> BookedAllocation:
    block, wanted = case.block, case.wanted
    value = case.worth.firm or case.worth.own
    raised = raise_request(
        actor=actor,
        at=at,
        kind=KIND,
        subject_type="block",
        subject_id=str(block.id),
        subject_version=block.version,
        payload={
            "block_id": str(block.id), "block_ref": block.ref, "block_version": block.version, **wanted.to_json(),
            "reason": reason, "plan": plan.digest,
        },
        summary=f"allocate {block.ref}, {plain(block.qty)} {block.listing.symbol}, to {len(plan.booked):,} accounts"
        + (f": {reason}" if reason else ""),
        reasons=[{"code": why.code.value, "sentence": why.sentence} for why in case.whys],
        desk_id=block.desk_id,
        value=value.amount,
        currency=value.currency,
    )  # fmt: skip
    block.request_id, block.updated_at = raised.id, at
    block.save(update_fields=["request_id", "updated_at"])
    return BookedAllocation(
        block.ref, PENDING, block.round, len(plan.booked), 0, plan.residual, Decimal(0), raised.id, case.whys
    )


def _answer(done: BookedAllocation) -> dict[str, Any]:
    return {
        "block": done.block_ref,
        "outcome": done.outcome,
        "round": done.round,
        "lines": done.lines,
        "parked": done.parked,
        "rounding": plain(done.rounding),
        "error": plain(done.error),
        "authorisation_id": str(done.authorisation_id) if done.authorisation_id else None,
        "whys": [[why.code.value, why.sentence] for why in done.whys],
    }


def _answered(answer: Mapping[str, Any]) -> BookedAllocation:
    return BookedAllocation(
        answer["block"],
        answer["outcome"],
        answer["round"],
        answer["lines"],
        answer["parked"],
        Decimal(answer["rounding"]),
        Decimal(answer["error"]),
        UUID(answer["authorisation_id"]) if answer["authorisation_id"] else None,
        tuple(Why(WhyCode(code), sentence) for code, sentence in answer["whys"]),
    )
