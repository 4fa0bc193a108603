"""The locate of a short sale, read where it cannot move: under the lock of all cash rows of the account.

A capture locks only the balance it pays from, which an account need not have; so a short sale takes the account's lock first,
in a statement of its own. Other captures pay nothing for it.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from accounts.locks import lock_money
from journal.domain.records import ANOMALY_CLEARED, Anomaly, Severity
from journal.selectors.anomalies import is_raised
from journal.services.append_to_stream import append_to_stream
from journal.services.raise_anomaly import anomaly_draft
from kernel.fix import Side
from kernel.numbers import ZERO, plain
from orders.selectors import find_account_rows
from orders.selectors.locates import LocateUse, find_locates, find_locates_of_orders
from risk.domain.facts import LocateFacts, TermFacts

LOCATE_OVERUSED = "LOCATE_OVERUSED"


def names_locate(side: Side, locate_ref: str) -> bool:
    """Whether a locate decides about it at all."""
    return side.is_short and bool(locate_ref.strip())


def lock_account_of_short(code: str) -> None:
    """Before anything else is read of a short sale. An account that does not exist is another's to refuse."""
    found = find_account_rows({code}).get(code)
    if found is not None:
        lock_money(account_ids=[found.account_id], instrument_ids=())


def read_locate(
    account_id: UUID, terms: TermFacts, *, own: UUID | None = None, entered_anew: UUID | None = None
) -> LocateFacts | None:
    """The locate as it is now, the ``own`` order's part given back; None where the terms name none that is on record."""
    if not names_locate(terms.side, terms.locate_ref):
        return None
    key = (account_id, terms.locate_ref)
    use = find_locates([key], entered_anew=entered_anew).get(key)
    return use.facts(own=own) if use is not None else None


def tell_overused(order_ids: Collection[UUID], *, actor: str, at: datetime) -> int:
    """Facts of the venue may take more of a locate than was promised: that is told, and when it holds again. How many were.

    Called after the orders are written and under their account's lock.
    """
    drafts = []
    for use in find_locates_of_orders(order_ids):
        if use.left < ZERO:
            drafts.append(anomaly_draft(anomaly=_overused(use), actor=actor, at=at))
        elif is_raised(dedupe_key(use)):
            drafts.append(anomaly_draft(anomaly=_overused(use), actor=actor, at=at, kind=ANOMALY_CLEARED))
    append_to_stream(drafts=drafts, at=at)
    return len(drafts)


def dedupe_key(use: LocateUse) -> str:
    """One matter a locate."""
    return f"locate:{use.locate_id}"


def _overused(use: LocateUse) -> Anomaly:
    over = -use.left
    sentence = f"{plain(over)} units more were sold short under locate {use.ref} than {use.lender} has promised."
    if over <= ZERO:
        sentence = f"What is sold short under locate {use.ref} is within what {use.lender} has promised again."
    return Anomaly(
        kind=LOCATE_OVERUSED,
        severity=Severity.HIGH,
        subject_type="account",
        subject_id=str(use.account_id),
        sentence=sentence,
        dedupe_key=dedupe_key(use),
        evidence={"ref": use.ref, "qty": plain(use.qty), "used": plain(use.used), "lender": use.lender},
    )
