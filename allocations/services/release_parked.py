"""Move a parked share out of suspense to its account, once nothing speaks against it any more.

The line keeps its number and figures; from now on it is charged, and told as booked by an ``AllocationBooked`` whose
``from_account_id`` is the suspense account. What follows (confirmation, settlement) begins there.
"""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from accounts.locks import lock_allocated
from accounts.models import Booking
from allocations.domain import transitions as moves
from allocations.domain.account_checks import checks_of
from allocations.domain.charging import charges_of
from allocations.locks import lock_blocks
from allocations.models import Allocation
from allocations.permissions import require_allocate
from allocations.selectors.account_facts import read_known
from allocations.selectors.cases import case_of_account
from allocations.selectors.seeing import get_allocation
from allocations.services._matters import tell_parked
from allocations.services._writing import Group, told_of_row, write_round
from authorisation.domain.principal import Principal
from kernel.crash_points import crash_point
from kernel.errors import Conflict, Refused
from kernel.fix import Side
from kernel.numbers import ZERO, plain


def release_parked(*, actor: Principal, at: datetime, allocation_ref: str, block_ref: str = "") -> Allocation:
    """``block_ref``: of which block it must be a line, where one is named.

    Raises NotPermitted RIGHT_MISSING, NotFound ALLOCATION_UNKNOWN, Conflict NOT_PARKED, Refused STILL_PARKED with what speaks against
    it now; then nothing changed.
    """
    require_allocate(actor)
    seen = get_allocation(actor, allocation_ref, block_ref=block_ref)
    with transaction.atomic():
        block = lock_blocks([seen.block_id])[seen.block_id]
        row = Allocation.objects.get(pk=seen.pk)
        if row.state != moves.PARKED:
            raise Conflict("NOT_PARKED", f"{row.ref} is not parked.")
        suspense = row.booked_account_id
        lock_allocated(account_ids={suspense, row.account_id}, instrument_id=block.instrument_id)
        case = case_of_account(block, row.account, at=at)
        known = read_known(case, at=at)
        selected = known.selected[row.account.account_class]
        charges = charges_of(
            selected,
            qty=row.qty,
            value=abs(row.gross),
            currency=block.currency,
            earlier=known.earlier.get(row.account_id),
        )
        fees = sum((charge.amount for charge in charges), ZERO)
        failed = checks_of(Side(row.side), row.qty, row.gross - fees, known.facts[row.account_id])
        if failed:
            sentences = [check.sentence for check in failed]
            raise Refused("STILL_PARKED", f"{row.ref} cannot be released: {' '.join(sentences)}", {"checks": sentences})
        row.release()
        row.booked_account_id, row.fees, row.net, row.reason = row.account_id, fees, row.gross - fees, ""
        row.charges = [[one.kind, one.name, one.version, plain(one.amount)] for one in charges]
        row.save(update_fields=["state", "booked_account_id", "charges", "fees", "net", "reason"])
        line = told_of_row(row)._replace(charges=tuple((a, b, c, d) for a, b, c, d in row.charges))
        group = Group("AllocationBooked", Booking.Kind.ALLOCATION, [line], 1, row.round, "", from_account_id=suspense)
        write_round(block=block, groups=[group], actor=actor, at=at)
        tell_parked(block, actor=actor, at=at)
        crash_point("parked.released")
        return row
