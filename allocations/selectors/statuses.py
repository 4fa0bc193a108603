"""What custodians said of instructions, as the fold takes it.

What was said under the reference that a transformed instruction takes the place of belongs to the one or to the other
(``domain.transforming``): here it is sorted, the same for the books, the page and fsck.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from decimal import Decimal
from uuid import UUID

from django.db.models import Q

from allocations.domain import transitions as moves
from allocations.domain.settling import Asked, Closed, Said
from allocations.domain.transforming import in_new_shares
from allocations.models import SettlementInstruction, SettlementStatus
from kernel.numbers import ZERO


@dataclass(frozen=True, slots=True)
class _Next:
    """The newest that takes an instruction's place in other shares, and how much of the old one has settled in those."""

    id: UUID
    qty: Decimal
    borne: Decimal


def asked_of(row: SettlementInstruction) -> Asked:
    """The instruction as the fold takes it."""
    return _asked(row, _next_of([row]).get(row.id))


def asked_of_all(rows: Iterable[SettlementInstruction]) -> dict[UUID, Asked]:
    """The same of many, by id, in at most one statement."""
    chosen = list(rows)
    following = _next_of(chosen)
    return {row.id: _asked(row, following.get(row.id)) for row in chosen}


def _asked(row: SettlementInstruction, following: _Next | None) -> Asked:
    closed = None
    if row.shares_until is not None and row.closed_at is not None:
        most = row.qty - (following.borne if following else ZERO)
        closed = Closed(row.closed_at, row.shares_until, most)
    return Asked(
        row.qty,
        row.amount,
        row.currency,
        sent=row.instructed_at is not None,
        canceled=row.state == moves.CANCELED and closed is None,
        failing=row.failing_since is not None,
        transformed=closed,
    )


def statuses_by_instruction(instruction_ids: Collection[UUID]) -> dict[UUID, list[Said]]:
    """All statuses of each, in the order in which they came; of which nothing was said is absent."""
    wanted = set(instruction_ids)
    about = SettlementInstruction.objects.filter(
        Q(transforms__isnull=False) | Q(shares_until__isnull=False), pk__in=wanted
    )
    rows = {row.id: row for row in about}
    older = {row.transforms_id for row in rows.values() if row.transforms_id is not None} - rows.keys()
    rows |= SettlementInstruction.objects.in_bulk(older) if older else {}
    said: defaultdict[UUID, list[Said]] = defaultdict(list)
    for status in SettlementStatus.objects.filter(instruction_id__in=wanted | older).order_by("id"):
        if status.instruction_id is not None:
            said[status.instruction_id].append(_said(status))
    for old_id, following in _next_of(rows.values()).items():
        _hand_over(rows[old_id], following, said)
    return {key: sorted(said[key], key=lambda one: one.id) for key in wanted if said.get(key)}


def _hand_over(old: SettlementInstruction, following: _Next, said: defaultdict[UUID, list[Said]]) -> None:
    """What was said of the old reference about the new units is the new instruction's."""
    asked = _asked(old, following)
    assert asked.transformed is not None
    theirs = in_new_shares(
        asked, said[old.id], closed_at=asked.transformed.at, since=asked.transformed.since, qty=following.qty
    )
    said[following.id] += [replace(one, by_old_ref=True) for one in said[old.id] if one.id in theirs]
    said[old.id] = [one for one in said[old.id] if one.id not in theirs]


def find_transformed(instruction_ids: Collection[UUID]) -> list[UUID]:
    """What takes the place of these in other shares."""
    rows = SettlementInstruction.objects.filter(transforms__in=list(instruction_ids))
    return list(rows.values_list("id", flat=True))


def _next_of(rows: Iterable[SettlementInstruction]) -> dict[UUID, _Next]:
    """By the id of the transformed one; of others nothing is there."""
    closed = [row.id for row in rows if row.shares_until is not None]
    found: dict[UUID, _Next] = {}
    following = SettlementInstruction.objects.filter(transforms__in=closed).order_by("version") if closed else ()
    for row in following:
        if row.transforms_id is not None and row.of_qty is not None:
            had = found.get(row.transforms_id)
            borne = max(had.borne if had else ZERO, row.of_qty if row.settled_qty else ZERO)
            found[row.transforms_id] = _Next(row.id, row.qty, borne)
    return found


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
        row.received_at,
    )
