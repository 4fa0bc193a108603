"""Many orders that look as if they had lived: a few are traded through every door, then copied with ids of their own.

A copy is made by text: every row of a template order is taken apart into columns, what names it is replaced, and the
events are chained and hashed anew, so that a copy is as whole as what it was copied from. Money is summed up at the end.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import connection

from benchmarks.support import wide_limits
from journal.domain.chain import GENESIS, envelope
from journal.domain.chain import payload_bytes as canonical
from journal.selectors import stream_events
from kernel.fix import Side
from kernel.ids import new_id, shard_of
from orders.models import Order
from tests.factories import AT, give_stock, make_account
from tests.factories.books import book_openings
from tests.factories.trading import Desk, relay

ACCOUNTS = 100
SLICE = 2_000
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}")
# table: (rows of one order, columns that the database numbers)
TABLES = {
    "orders_order": ("id = %(order)s", ()),
    "orders_orderrequest": ("order_id = %(order)s", ()),
    "orders_execution": ("order_id = %(order)s", ("wire_message_id",)),
    "accounts_booking": ("order_id = %(order)s", ("id",)),
    "accounts_reservation": ("order_id = %(order)s", ()),
    "venues_routedecision": ("order_id = %(order)s", ()),
    "venues_wireintent": ("order_id = %(order)s", ("id",)),
    "venues_handover": ("cl_ord_id IN (SELECT cl_ord_id FROM orders_orderrequest WHERE order_id = %(order)s)", ("intent_id",)),
    "venues_wiremessage": (
        "cl_ord_id IN (SELECT cl_ord_id FROM orders_orderrequest WHERE order_id = %(order)s) OR venue_order_id = %(venue)s",
        ("id",),
    ),
    "journal_idempotencykey": ("answer ->> 'order_id' = %(order)s::text", ("id",)),
}  # fmt: skip


def trade_templates() -> tuple[Desk, list[Order]]:
    """Ten orders as a day leaves them: six filled in two trades, two canceled, one working, one busted sale."""
    desk = Desk()
    wide_limits()
    filled = [desk.buy(order_qty=Decimal(100 * n)) for n in range(1, 7)]
    canceled, working = [desk.buy(), desk.buy()], desk.buy()
    sold = desk.buy(side=Side.SELL)
    desk.send(at=AT + timedelta(seconds=1))
    for order in (*filled, *canceled, working, sold):
        qty = order.order_qty or Decimal(0)
        desk.say(order, "0", "0", t38=qty, t14=0, t151=qty)
    for order in filled:
        half = (order.order_qty or Decimal(0)) / 2
        desk.say(order, "F", "1", t38=2 * half, t32=half, t31="72.49", t14=half, t151=half)
        desk.say(order, "F", "2", t38=2 * half, t32=half, t31="72.50", t14=2 * half, t151=0)
    desk.say(working, "F", "1", t38=1000, t32=300, t31="72.5", t14=300, t151=700)
    desk.say(sold, "F", "1", exec_id="S1", t38=1000, t32=400, t31="72.51", t14=400, t151=600)
    desk.say(sold, "H", "0", exec_id="S2", t19="S1", t38=1000, t32=400, t31="72.51", t14=0, t151=1000)
    for order in canceled:
        desk.cancel(order)
    desk.send(at=AT + timedelta(seconds=2))
    for order in canceled:
        asked = order.requests.get(kind="cancel")
        desk.say(order, "4", "4", cl_ord_id=asked.cl_ord_id, t41=order.cl_ord_id, t38=1000, t14=0, t151=0)
    relay()
    return desk, [*filled, *canceled, working, sold]


@dataclass(slots=True)
class Template:
    """One order as text with ``%(name)s`` for all that a copy has of its own."""

    order_id: UUID
    ref: str
    rows: dict[str, list[str]] = field(default_factory=dict)
    events: list[tuple[str, str]] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    numbers: dict[str, list[int]] = field(default_factory=dict)


class Copier:
    """Copies templates over many accounts."""

    def __init__(self, desk: Desk, orders: Sequence[Order]) -> None:
        self.account = desk.world.account
        self.accounts = [
            make_account(f"B{n:04d}", group=desk.world.group, cash="1000000000000") for n in range(ACCOUNTS)
        ]
        for account in self.accounts:
            give_stock(account, desk.world.listing, "1000000000000")
        book_openings()
        self.columns = {table: _columns(table) for table in TABLES}
        self.shared = {str(self.account.id), str(desk.world.listing.id), str(desk.world.listing.instrument_id)}
        self.templates = [self._template(order) for order in orders]
        self.next_number = _last_order_number() + 1
        self.next_ids = {
            name: _last_id(table) + 1 for name, table in (("w", "venues_wiremessage"), ("i", "venues_wireintent"))
        }

    def copy(self, count: int) -> None:
        """``count`` more orders, then the sums of money and the numbers that follow from them."""
        for start in range(0, count, SLICE):
            self._slice(range(start, min(start + SLICE, count)))
        _sum_up()

    def _slice(self, places: range) -> None:
        tables: dict[str, list[str]] = {table: [] for table in TABLES}
        events: list[str] = []
        for place in places:
            template = self.templates[place % len(self.templates)]
            names = self._names(template, place)
            events += _events(template, names)
            for table, rows in template.rows.items():
                tables[table] += [row % names for row in rows]
        for table, lines in tables.items():
            _put(table, self.columns[table], lines)
        _put("journal_event", _EVENT_COLUMNS, events)

    def _names(self, template: Template, place: int) -> dict[str, str]:
        account = self.accounts[place // len(self.templates) % ACCOUNTS]
        number, self.next_number = self.next_number, self.next_number + 1
        names = {f"u{n}": str(new_id()) for n in range(len(template.ids))}
        names |= {"account": str(account.id), "code": account.code, "ref": f"2611-{number:07d}"}
        names["cl"] = f"{shard_of(account.id):X}2611{number:07d}"
        for kind, known in template.numbers.items():
            first = self.next_ids[kind]
            self.next_ids[kind] += len(known)
            names |= {f"{kind}{n}": str(first + n) for n in range(len(known))}
        return names

    def _template(self, order: Order) -> Template:
        order.refresh_from_db()
        made = Template(order.id, order.ref)
        values = {"order": order.id, "venue": order.venue_order_id}
        for table, (condition, numbered) in TABLES.items():
            kept = self.columns[table]
            for row in _rows(table, kept, condition, values):
                cells = [self._cell(made, table, name, value, numbered) for name, value in zip(kept, row, strict=True)]
                made.rows.setdefault(table, []).append("\t".join(cells))
        for event in stream_events(f"order:{order.id}"):
            draft = event.draft
            text = envelope(
                draft, seq=event.seq, recorded_at=event.recorded_at, payload_json=canonical(draft.payload)
            ).decode()
            made.events.append((self._text(made, text), self._row_of(made, event)))
        return made

    def _row_of(self, made: Template, event: Any) -> str:
        draft = event.draft
        cells: list[Any] = [
            draft.id, draft.stream, event.seq, draft.kind, draft.version, draft.actor, draft.on_behalf_of,
            draft.correlation_id, draft.causation_id, draft.event_at, draft.received_at, event.recorded_at,
            draft.business_date, canonical(draft.payload).decode(),
        ]  # fmt: skip
        return "\t".join(_escaped(self._text(made, str(cell))) if cell is not None else r"\N" for cell in cells)

    def _cell(self, made: Template, table: str, name: str, value: str | None, numbered: Sequence[str]) -> str:
        if value is None:
            return r"\N"
        if name in ("wire_message_id",) or (name == "id" and table == "venues_wiremessage"):
            return self._number(made, "w", int(value))
        if name == "intent_id" or (name == "id" and table == "venues_wireintent"):
            return self._number(made, "i", int(value))
        if name == "id" and name in numbered:
            return ""  # left to the database; see _columns
        if (table, name) == ("orders_order", "last_event_hash"):
            return "%(head)s"
        return _escaped(self._text(made, value))

    def _text(self, made: Template, text: str) -> str:
        text = text.replace("%", "%%")
        text = re.sub(
            r'"wire_message_id": ?(\d+)', lambda m: f'"wire_message_id":{self._number(made, "w", int(m[1]))}', text
        )
        text = _UUID.sub(lambda m: self._id(made, m[0]), text)
        bare = made.ref.removeprefix("O-")
        text = re.sub(rf"[0-9A-F]{re.escape(bare.replace('-', ''))}(?=\.)", "%(cl)s", text)
        return text.replace(bare, "%(ref)s").replace(self.account.code, "%(code)s")

    def _id(self, made: Template, found: str) -> str:
        if found == str(self.account.id):
            return "%(account)s"
        if found in self.shared:
            return found
        if found not in made.ids:
            made.ids.append(found)
        return f"%(u{made.ids.index(found)})s"

    @staticmethod
    def _number(made: Template, kind: str, value: int) -> str:
        known = made.numbers.setdefault(kind, [])
        if value not in known:
            known.append(value)
        return f"%({kind}{known.index(value)})s"


def _events(template: Template, names: dict[str, str]) -> Iterator[str]:
    """The events of a copy, chained anew; ``names`` learns the hash of the last one, which its order needs."""
    before = GENESIS
    for text, row in template.events:
        digest = hashlib.sha256(before + (text % names).encode()).digest()
        yield f"{row % names}\t\\\\x{before.hex()}\t\\\\x{digest.hex()}"
        before = digest
    names["head"] = f"\\\\x{before.hex()}"


_EVENT_COLUMNS = (
    "id", "stream", "seq", "kind", "version", "actor", "on_behalf_of", "correlation_id", "causation_id", "event_at",
    "received_at", "recorded_at", "business_date", "payload", "prev_hash", "hash",
)  # fmt: skip


def _columns(table: str) -> list[str]:
    """Its columns, without the key of those tables whose rows nothing names."""
    numbered_by_database = ("accounts_booking", "journal_idempotencykey")
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT column_name FROM information_schema.columns WHERE table_name = %s ORDER BY ordinal_position",
            [table],
        )
        names = [row[0] for row in cursor.fetchall()]
    return [name for name in names if not (name == "id" and table in numbered_by_database)]


def _rows(table: str, columns: Sequence[str], condition: str, values: dict[str, Any]) -> list[tuple[str | None, ...]]:
    chosen = ", ".join(f'"{name}"::text' for name in columns)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {chosen} FROM {table} WHERE {condition} ORDER BY 1", values)
        return list(cursor.fetchall())


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r")


def _put(table: str, columns: Sequence[str], lines: Sequence[str]) -> None:
    if not lines:
        return
    names = ", ".join(f'"{name}"' for name in columns)
    connection.ensure_connection()
    assert connection.connection is not None
    with connection.connection.cursor().copy(f"COPY {table} ({names}) FROM STDIN") as copy:
        copy.write("\n".join(lines) + "\n")


def _last_order_number() -> int:
    return max(int(ref.rpartition("-")[2]) for ref in Order.objects.values_list("ref", flat=True))


def _last_id(table: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT coalesce(max(id), 0) FROM {table}")
        return int(cursor.fetchone()[0])


_SUMS = """
UPDATE accounts_cashbalance c SET pending = b.pending FROM (
       SELECT account_id, currency, sum(amount) FILTER (WHERE layer = 'pending') AS pending FROM accounts_booking
        WHERE instrument_id IS NULL GROUP BY 1, 2) b
 WHERE b.account_id = c.account_id AND b.currency = c.currency AND b.pending IS NOT NULL;
INSERT INTO accounts_holding (account_id, instrument_id, settled, pending, reserved, short)
SELECT account_id, instrument_id, 0, sum(amount), 0, 0 FROM accounts_booking b
 WHERE instrument_id IS NOT NULL AND layer = 'pending' GROUP BY 1, 2
    ON CONFLICT (account_id, instrument_id) DO UPDATE SET pending = excluded.pending;
UPDATE accounts_cashbalance c SET reserved = r.held FROM (
       SELECT account_id, cash_currency, sum(cash) AS held FROM accounts_reservation GROUP BY 1, 2) r
 WHERE r.account_id = c.account_id AND r.cash_currency = c.currency;
UPDATE accounts_holding h SET reserved = r.held FROM (
       SELECT account_id, instrument_id, sum(stock) AS held FROM accounts_reservation GROUP BY 1, 2) r
 WHERE r.account_id = h.account_id AND r.instrument_id = h.instrument_id;
SELECT setval(pg_get_serial_sequence('venues_wiremessage', 'id'), (SELECT max(id) FROM venues_wiremessage));
SELECT setval(pg_get_serial_sequence('venues_wireintent', 'id'), (SELECT max(id) FROM venues_wireintent));
UPDATE journal_cursor SET position = (SELECT max(position) FROM journal_event) WHERE name NOT LIKE 'inbox:%';
UPDATE journal_cursor SET position = (SELECT max(id) FROM venues_wiremessage WHERE direction = 'in') WHERE name LIKE 'inbox:%';
"""


def _sum_up() -> None:
    with connection.cursor() as cursor:
        for statement in filter(str.strip, _SUMS.split(";")):
            cursor.execute(statement)
        cursor.execute("VACUUM (ANALYZE)")
