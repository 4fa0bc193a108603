"""Every lock of this room on its own rows: what is said with one counterparty → confirmations by id → blocks, ascending by id.

In a transaction they come after idempotency keys and approval requests and before accounts: whoever holds a block may lock accounts,
whoever holds an account asks for no block. Pairing looks at all that a counterparty said: whoever pairs, makes or ends confirmations
with it holds its name.

A series (of notes, of the trade feed) is asked for by nobody who holds any other row of the house; its notes come behind it.

Market claims of an action are asked for by one at a time, before the balances of their accounts.

Settlement instructions come last, behind the balances of their accounts: who moves units of one, or undoes one that may have
settled, holds those first, so that no trade settles while it is being undone.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from decimal import Decimal
from uuid import UUID

from django.db.models import QuerySet

from allocations.models import (
    Block,
    Claim,
    Confirmation,
    ContractNote,
    NoteSeries,
    SettlementFile,
    SettlementInstruction,
)
from journal.bulk import insert_rows, raw_cursor
from journal.domain.idempotency import lock_number
from journal.domain.pg_text import array_literal

_SETTLED = """
SELECT allocation_id, settled_qty FROM allocations_settlementinstruction WHERE allocation_id = ANY(%s::uuid[])
 ORDER BY id FOR NO KEY UPDATE
"""


def lock_blocks(block_ids: Collection[UUID]) -> dict[UUID, Block]:
    """The blocks under lock, by id."""
    rows = Block.objects.select_for_update(no_key=True).filter(pk__in=set(block_ids)).order_by("id")
    return {row.id: row for row in rows}


def lock_turns(account_id: UUID) -> None:
    """Be the only one who continues a rotation of this wash account, until commit: two blocks never begin at one mark. Behind the
    block, before the accounts."""
    with raw_cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [lock_number("allocations", "turns", str(account_id))])


def lock_blocks_by_key(keys: Collection[str]) -> dict[str, Block]:
    """The blocks under lock, by key."""
    rows = Block.objects.select_for_update(no_key=True).filter(key__in=set(keys)).order_by("id")
    return {row.key: row for row in rows}


def lock_some(*, kind: str, states: Collection[str], most: int, after: UUID | None = None) -> list[Block]:
    """Some blocks of these states that nobody works on, behind ``after`` in the order of their ids."""
    rows = Block.objects.select_for_update(no_key=True, skip_locked=True).filter(kind=kind, state__in=states)
    if after is not None:
        rows = rows.filter(pk__gt=after)
    return list(rows.order_by("id")[:most])


def lock_series(code: str) -> NoteSeries:
    """The numbering under lock, begun where it is missing: until commit nobody else gives a number of it, so numbers commit in
    their order and without gaps."""
    insert_rows(NoteSeries, [(code, 0)], fields=("code", "last_number"), on_conflict="DO NOTHING")
    return NoteSeries.objects.select_for_update(no_key=True).get(pk=code)


def lock_notes(note_ids: Collection[UUID]) -> dict[UUID, ContractNote]:
    """Notes under lock, by id; whoever replaces or cancels one holds its series already."""
    rows = ContractNote.objects.select_for_update(no_key=True, of=("self",)).filter(pk__in=set(note_ids)).order_by("id")
    return {row.id: row for row in rows}


def lock_counterparties(names: Iterable[str]) -> None:
    """Be the only one who confirms with these, until commit; ascending by name."""
    with raw_cursor() as cursor:
        for name in sorted(set(names)):
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [lock_number("allocations", "confirming", name)])


def lock_confirmations(ids: Collection[UUID]) -> list[Confirmation]:
    """Those that are there, locked until commit, ascending by id."""
    return list(Confirmation.objects.select_for_update(no_key=True).filter(id__in=list(ids)).order_by("id"))


def lock_claims(action_id: UUID) -> list[Claim]:
    """Be the only one who raises, changes or ends claims of the action, until commit; all of them by number."""
    with raw_cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [lock_number("allocations", "claims", str(action_id))])
    rows = Claim.objects.select_for_update(no_key=True, of=("self",)).filter(action_id=action_id)
    return list(rows.select_related("instruction__account").order_by("number"))


def next_claim_number() -> int:
    """A number that no claim has; one may be left out (a transaction that failed)."""
    with raw_cursor() as cursor:
        cursor.execute("SELECT nextval('allocations_claim_number')")
        ((number,),) = cursor.fetchall()
        return int(number)


def lock_instructions(instruction_ids: Collection[UUID]) -> dict[UUID, SettlementInstruction]:
    """Settlement instructions under lock, by id."""
    return {row.id: row for row in _instructions().filter(pk__in=set(instruction_ids))}


def lock_instructions_of(allocation_ids: Collection[UUID]) -> list[SettlementInstruction]:
    """All settlement instructions of the allocations under lock."""
    return list(_instructions().filter(allocation_id__in=set(allocation_ids)))


def lock_settled_of(allocation_ids: Collection[UUID]) -> list[tuple[UUID, Decimal]]:
    """All settlement instructions of the allocations under lock: of which allocation, and how many units of it have settled."""
    with raw_cursor(binary=True) as cursor:
        cursor.execute(_SETTLED, [array_literal("uuid", allocation_ids)])
        return [(allocation_id, qty) for allocation_id, qty in cursor.fetchall()]


def lock_waiting_instructions(instruction_ids: Collection[UUID]) -> list[SettlementInstruction]:
    """Of these, those that still wait, that nobody holds back and nobody works on."""
    rows = SettlementInstruction.objects.select_for_update(no_key=True, skip_locked=True).filter(
        pk__in=set(instruction_ids), state="waiting", held_at__isnull=True
    )
    return list(rows.order_by("settlement_date", "id"))


def lock_made_files(most: int) -> list[SettlementFile]:
    """The oldest files for custodians that are not written and that nobody writes."""
    rows = SettlementFile.objects.select_for_update(no_key=True, skip_locked=True).filter(state="made")
    return list(rows.order_by("made_at", "place")[:most])


def _instructions() -> QuerySet[SettlementInstruction]:
    return SettlementInstruction.objects.select_for_update(no_key=True).order_by("id")
