"""Hold cash or stock for open orders, all or none."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from accounts.domain.ledger import OrderHold, post
from accounts.domain.shortage import require_cover
from accounts.locks import lock_holds, lock_money
from accounts.services._write import write_holds, write_posted
from journal.bulk import one_transaction


def set_reservations(*, holds: Sequence[OrderHold], at: datetime) -> None:
    """What each order holds from now on, in whole; an empty hold releases.

    Raises Refused CASH_INSUFFICIENT or HOLDING_INSUFFICIENT naming the first order that finds too little; then
    nothing changed. Runs inside the caller's transaction.
    """
    with one_transaction():
        if not holds:
            return
        accounts = {hold.account_id for hold in holds}
        money = lock_money(account_ids=accounts)
        before = lock_holds([hold.order_id for hold in holds])

        changes = [(before.get(hold.order_id), hold) for hold in holds]
        require_cover(money, changes)
        posted = post(money, (), changes)

        write_posted(posted)
        write_holds(changes, at=at)
