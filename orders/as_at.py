"""Orders as the house knew them at a moment: replayed from their events up to then, never read from today's rows.

A moment is a time of recording (what did we know then, not what had happened then) or an event of the order itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from accounts.domain.ledger import OrderHold
from journal.bulk import raw_cursor
from journal.domain.records import EventRecord
from journal.selectors import stream_records
from journal.selectors.events import records_of_streams
from kernel.errors import Invalid, NotFound
from orders.domain.replayed import ReplayedOrder
from orders.domain.replaying import BORN, Replay, tells_all
from orders.services.replay_orders import share_of

MOST_ORDERS = 2_000
SLICE = 1_000

_WORKING_THEN = """
SELECT id FROM orders_order
 WHERE account_id = %s AND entered_at <= %s AND (is_open OR updated_at > %s) ORDER BY id LIMIT %s
"""


@dataclass(frozen=True, slots=True)
class OrderAsAt:
    """An order after its event ``last``. ``later`` events followed until today.

    ``together_to`` is the last event that was recorded in the same moment: what is told by time alone holds after that one.
    """

    order: ReplayedOrder
    last: EventRecord
    later: int
    together_to: int


def get_order_as_at(*, order_id: UUID, seq: int | None = None, at: datetime | None = None) -> OrderAsAt:
    """The order after its ``seq``-th event, or as it was known ``at`` a time. The caller has found it visible.

    Raises NotFound ORDER_NOT_YET when it had no event then, ORDER_UNTOLD for one whose events do not tell everything.
    """
    replay, last, later, together_to = Replay(), None, 0, 0
    for event in _events(order_id):
        if later or (seq is not None and event.seq > seq) or (at is not None and event.recorded_at > at):
            later += 1
            if last is not None and event.recorded_at == last.recorded_at:
                together_to = event.seq
            continue
        if event.kind in BORN and not tells_all(event):
            raise NotFound(
                "ORDER_UNTOLD", "The first events of this order do not tell everything; it cannot be replayed."
            )
        replay.take(event)
        last, together_to = event, event.seq
    order = replay.order()
    if order is None or last is None or (seq is not None and last.seq != seq):
        raise NotFound("ORDER_NOT_YET", "The order had no such event then.")
    return OrderAsAt(order, last, later, together_to)


def _events(order_id: UUID) -> Iterator[EventRecord]:
    after = 0
    while events := stream_records(f"order:{order_id}", after_seq=after, limit=SLICE):
        yield from events
        after = events[-1].seq


def list_holds_as_at(*, account_id: UUID, at: datetime) -> list[OrderHold]:
    """What each order of an account that worked at a time held then; as :func:`list_working_as_at`."""
    return holds_of(list_working_as_at(account_id=account_id, at=at))


def holds_of(orders: Iterable[ReplayedOrder]) -> list[OrderHold]:
    """What the orders hold, those that hold nothing left out."""
    return [hold for order in orders if not (hold := share_of(order).hold).is_empty]


def list_working_as_at(*, account_id: UUID, at: datetime) -> list[ReplayedOrder]:
    """The orders of an account that worked or changed since a time, as they were then. The caller found the account visible.

    Raises Invalid AS_AT_TOO_WIDE when more than 2,000 orders would have to be replayed.
    """
    with raw_cursor(binary=True) as cursor:
        cursor.execute(_WORKING_THEN, [account_id, at, at, MOST_ORDERS + 1])
        ids = [row[0] for row in cursor.fetchall()]
    if len(ids) > MOST_ORDERS:
        raise Invalid("AS_AT_TOO_WIDE", f"More than {MOST_ORDERS} orders worked then or changed since.")
    replays: dict[str, Replay] = {}
    ended: set[str] = set()
    for event, _ in records_of_streams([f"order:{order_id}" for order_id in ids]):
        if event.recorded_at > at or (event.kind in BORN and not tells_all(event)):
            ended.add(event.stream)
        if event.stream not in ended:
            replays.setdefault(event.stream, Replay()).take(event)
    return [order for replay in replays.values() if (order := replay.order()) is not None]
