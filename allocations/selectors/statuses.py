"""What custodians said of instructions, as the fold takes it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from uuid import UUID

from allocations.domain import transitions as moves
from allocations.domain.settling import Asked, Said
from allocations.models import SettlementInstruction, SettlementStatus


def asked_of(row: SettlementInstruction) -> Asked:
    """The instruction as the fold takes it."""
    return Asked(
        row.qty,
        row.amount,
        row.currency,
        sent=row.instructed_at is not None,
        canceled=row.state == moves.CANCELED,
        failing=row.failing_since is not None,
    )


def statuses_by_instruction(instruction_ids: Collection[UUID]) -> dict[UUID, list[Said]]:
    """All statuses of each, in the order in which they came; of which nothing was said is absent."""
    said: defaultdict[UUID, list[Said]] = defaultdict(list)
    rows = SettlementStatus.objects.filter(instruction_id__in=list(instruction_ids)).order_by("id")
    for row in rows:
        if row.instruction_id is not None:
            said[row.instruction_id].append(_said(row))
    return dict(said)


def _said(row: SettlementStatus) -> Said:
    return Said(
        row.id,
        row.status,
        row.effective_at,
        row.their_ref,
        row.qty,
        row.amount,
        row.currency,
        row.reason_code,
        row.reason,
    )
