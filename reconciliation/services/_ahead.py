"""The first holdings of a house, made ready while the accounts they are of are still being opened beside them.

On a first morning every row is new and the file of holdings is the longest. It names accounts that are there only once their own file
is booked; but the ids they will get follow from that file's intake and their codes. So where the house has no holding yet and
none of the accounts of a file, the file is weighed and its bookings are written as if they were there (``PROMISED``). Before any
balance and any event of it is, its session waits for the other one and proves that every account came: by that code, under that
id, and not closed. Else all of it is given up (``NotAhead``), and the file is taken in as any other, which says what is wrong.
"""

from __future__ import annotations

from threading import Event
from typing import Any
from uuid import UUID

from accounts.services.load_accounts import ID_OF_NEW
from kernel.crash_points import crash_point
from reconciliation.models import Intake
from reconciliation.services._last_file import LastFile
from reconciliation.staging import Staged

PROMISED = "intake_promised"
"""Accounts as a query over rows asks for them (id, code, state), until commit."""
_FIRST = """
SELECT NOT EXISTS (SELECT FROM accounts_holding)
   AND NOT EXISTS (SELECT FROM reconciliation_outsidename WHERE source = %s AND what = 'account')
"""
_PROMISE = f"""
CREATE TEMP TABLE {PROMISED} ON COMMIT DROP AS
SELECT code, {ID_OF_NEW} AS id, 'active' AS state FROM (SELECT DISTINCT account AS code FROM {{staged}}) named
"""  # noqa: S608
_KNOWN = f"SELECT EXISTS (SELECT FROM accounts_tradingaccount a JOIN {PROMISED} p ON p.code = a.code)"  # noqa: S608
_BROKEN = f"""
SELECT EXISTS (SELECT FROM {PROMISED} p LEFT JOIN accounts_tradingaccount a ON a.id = p.id
                WHERE a.id IS NULL OR a.code <> p.code OR a.state = 'closed')
"""  # noqa: S608


class NotAhead(Exception):
    """What was done ahead does not hold, or cannot be done ahead. Nobody needs to hear of it: the ordinary way follows."""


class Beside:
    """The files of accounts of a morning, which others wait for: their first intake, and whether all of them were booked.

    Both are said once, by the session that takes them in; the first word counts.
    """

    def __init__(self) -> None:
        self._begun, self._ended = Event(), Event()
        self._load: UUID | None = None
        self._there = False

    def begun(self, load: UUID) -> None:
        """The intake of a file of accounts is there."""
        if not self._begun.is_set():
            self._load = load
            self._begun.set()

    def ended(self, *, there: bool) -> None:
        """No more accounts will come; ``there``: those that should are there."""
        self._begun.set()
        if not self._ended.is_set():
            self._there = there
            self._ended.set()

    def load(self) -> UUID | None:
        """Waits for the first intake; None where no file of accounts is taken in."""
        self._begun.wait()
        return self._load

    def opened(self) -> bool:
        """Waits for the end of all; False where the accounts will not come: their files could not be taken in."""
        self._ended.wait()
        return self._there


def promise(cursor: Any, intake: Intake, now: Staged, before: LastFile | None, beside: Beside) -> None:
    """Fill ``PROMISED`` with the accounts of the file. Raises NotAhead where this is no first morning."""
    if intake.kind != "holdings" or before is not None or now.counted.refused:
        raise NotAhead
    cursor.execute(_FIRST, [intake.source])
    load = beside.load()
    if load is None or not cursor.fetchall()[0][0]:
        raise NotAhead
    cursor.execute(_PROMISE.format(staged=now.table), {"load": load})
    cursor.execute(f"ANALYZE {PROMISED} (code)")
    cursor.execute(_KNOWN)
    if cursor.fetchall()[0][0]:
        raise NotAhead


def prove(cursor: Any, beside: Beside) -> None:
    """Wait for the accounts. Raises NotAhead where they are not all there as they were promised."""
    if not beside.opened():
        raise NotAhead
    crash_point("intake.promised")
    cursor.execute(_BROKEN)
    if cursor.fetchall()[0][0]:
        raise NotAhead
