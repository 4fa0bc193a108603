"""An audit of a house from outside: its tables against each other and against the venue's own truth.

Plain SQL and the simulator's files, nothing of the code that wrote them. Each check answers sentences, one a finding.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
from psycopg.rows import dict_row

from kernel.numbers import round_money
from venues.simulator.truth import read_truth

Row = dict[str, Any]
ORDERS = """
    SELECT o.id::text, o.ref, o.client_order_id, o.source, o.side, o.ord_status, o.request_state, o.is_open, o.cum_qty, o.leaves_qty,
           o.order_qty, o.price, o.last_event_seq, l.currency, l.price_divisor
    FROM orders_order o JOIN refdata_listing l ON l.id = o.listing_id ORDER BY o.id"""
REQUESTS = """
    SELECT id::text, order_id::text, kind, state, cl_ord_id, outcome_code, idempotency_key, released_at, handed_over_at
    FROM orders_orderrequest ORDER BY order_id, seq"""
EXECUTIONS = "SELECT id::text, order_id::text, exec_id, effective_qty, effective_px, side FROM orders_execution"
BOOKINGS = """
    SELECT execution_id::text, order_id::text, sum(amount) FILTER (WHERE instrument_id IS NULL) AS cash,
           sum(amount) FILTER (WHERE instrument_id IS NOT NULL) AS stock
    FROM accounts_booking WHERE execution_id IS NOT NULL AND charge = '' GROUP BY 1, 2"""
OUTBOUND = """
    SELECT cl_ord_id, msg_type, count(*) AS times FROM venues_wiremessage
    WHERE direction = 'out' AND msg_type IN ('D', 'F', 'G') GROUP BY 1, 2"""
CASH = """
    SELECT a.code, c.currency, c.settled + c.pending AS balance, c.reserved,
      (SELECT coalesce(sum(amount), 0) FROM accounts_booking b WHERE b.account_id = a.id AND b.currency = c.currency) booked,
      (SELECT coalesce(sum(cash), 0) FROM accounts_reservation r
       WHERE r.account_id = a.id AND r.cash_currency = c.currency) AS held
    FROM accounts_cashbalance c JOIN accounts_tradingaccount a ON a.id = c.account_id"""
STOCK = """
    SELECT a.code, h.instrument_id::text, h.settled + h.pending AS balance, h.reserved,
      (SELECT coalesce(sum(amount), 0) FROM accounts_booking b
       WHERE b.account_id = a.id AND b.instrument_id = h.instrument_id) AS booked,
      (SELECT coalesce(sum(stock), 0) FROM accounts_reservation r
       WHERE r.account_id = a.id AND r.instrument_id = h.instrument_id) AS held
    FROM accounts_holding h JOIN accounts_tradingaccount a ON a.id = h.account_id"""
HELD_BY_CLOSED = """
    SELECT o.ref, r.cash, r.stock FROM accounts_reservation r JOIN orders_order o ON o.id = r.order_id
    WHERE NOT o.is_open AND (r.cash > 0 OR r.stock > 0)"""
CHAINS = """
    SELECT stream, seq, prev_hash = coalesce(lag(hash) OVER w, prev_hash) AND seq = coalesce(lag(seq) OVER w, 0) + 1 AS sound
    FROM journal_event WHERE stream LIKE 'order:%' WINDOW w AS (PARTITION BY stream ORDER BY seq)"""
NOT_SENT = "SELECT payload->>'request_id' AS request_id FROM journal_event WHERE kind = 'RequestNotSent'"
IN_FLIGHT = ("captured", "released", "handed_over", "unknown")
ENDED = ("accepted", "rejected", "refused", "withdrawn")


@dataclass(slots=True)
class VenueSide:
    """What the venues say happened: orders by every ClOrdID they had, executions, and what was said to each ClOrdID."""

    orders: dict[str, Row] = field(default_factory=dict)
    executions: dict[str, dict[str, tuple[Decimal, Decimal]]] = field(default_factory=lambda: defaultdict(dict))
    accepted: Counter[tuple[str, str]] = field(default_factory=Counter)
    duplicates: list[str] = field(default_factory=list)


def read_venues(directory: Path) -> VenueSide:
    """The truth of every venue under ``directory``, oldest line first. Raw facts only: nothing busted or corrected here."""
    side = VenueSide()
    for path in sorted(directory.glob("*/truth.jsonl")):
        for line in read_truth(path):
            order, report = line["order"], line["report"]
            if order is None:
                continue
            for name in order["lineage"]:
                side.orders[name] = order
            if line["kind"] == "execution":
                trade = line["execution"]
                side.executions[order["order_id"]][trade["exec_id"]] = (
                    Decimal(trade["last_qty"]),
                    Decimal(trade["last_px"]),
                )
            if line["kind"] == "order" and report["exec_type"] in "045":
                side.accepted[report["cl_ord_id"], report["exec_type"]] += 1
            if "Duplicate ClOrdID" in report.get("text", ""):
                side.duplicates.append(report["cl_ord_id"])
    return side


@dataclass(slots=True)
class HouseSide:
    """What our tables say."""

    orders: dict[str, Row]
    requests: list[Row]
    executions: dict[str, list[Row]]
    bookings: dict[str, Row]
    outbound: list[Row]
    balances: list[Row]
    held_by_closed: list[Row]
    broken_chains: list[Row]
    last_seqs: dict[str, int]
    not_sent: set[str]


def read_house(database: str) -> HouseSide:
    """Every table at one moment (one repeatable-read transaction)."""
    with psycopg.connect(database, row_factory=dict_row) as connection:
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ

        def rows(text: str) -> list[Row]:
            return connection.execute(text.encode()).fetchall()

        executions: dict[str, list[Row]] = defaultdict(list)
        for row in rows(EXECUTIONS):
            executions[row["order_id"]].append(row)
        chains = rows(CHAINS)
        last_seqs: dict[str, int] = {}
        for row in chains:
            stream = row["stream"].removeprefix("order:")
            last_seqs[stream] = max(row["seq"], last_seqs.get(stream, 0))
        return HouseSide(
            orders={row["id"]: row for row in rows(ORDERS)},
            requests=rows(REQUESTS),
            executions=executions,
            bookings={row["execution_id"]: row for row in rows(BOOKINGS)},
            outbound=rows(OUTBOUND),
            balances=[*rows(CASH), *rows(STOCK)],
            held_by_closed=rows(HELD_BY_CLOSED),
            broken_chains=[row for row in chains if not row["sound"]],
            last_seqs=last_seqs,
            not_sent={row["request_id"] for row in rows(NOT_SENT)},
        )


def nothing_sent_twice(house: HouseSide, venues: VenueSide) -> Iterator[str]:
    """At most once on our wire, at most once in the venue's books."""
    for row in house.outbound:
        if row["times"] > 1:
            yield f"{row['cl_ord_id']} left {row['times']} times as 35={row['msg_type']}"
    for (name, exec_type), times in venues.accepted.items():
        if times > 1:
            yield f"the venue took {name} {times} times (150={exec_type})"
    for name in venues.duplicates:
        yield f"{name} reached the venue again and was refused as a duplicate"


def every_request_ended(house: HouseSide) -> Iterator[str]:
    """Accepted, rejected, or refused by us with a code; nothing is still on its way."""
    for row in house.requests:
        name = f"{row['kind']} {row['cl_ord_id']}"
        if row["state"] in IN_FLIGHT:
            yield f"{name} is still {row['state']}"
        elif row["state"] == "refused" and row["released_at"] and row["id"] not in house.not_sent:
            yield f"{name} was released and refused, and no RequestNotSent says so"
        elif row["state"] == "refused" and row["released_at"] and not row["outcome_code"]:
            yield f"{name} was released and refused without a code"
        elif row["state"] not in ENDED and row["state"] != "pending_authorisation":
            yield f"{name} is {row['state']}"


def orders_agree(house: HouseSide, venues: VenueSide) -> Iterator[str]:
    """Status, quantities and price of each order are the venue's; what no venue knows is not working anywhere."""
    ours: set[str] = set()
    for request in (row for row in house.requests if row["kind"] == "new"):
        order = house.orders[request["order_id"]]
        theirs = venues.orders.get(request["cl_ord_id"])
        if theirs is None:
            if order["is_open"] and request["state"] != "pending_authorisation":
                yield f"{order['ref']} is open here ({order['ord_status']}) and no venue knows it"
            continue
        ours.add(theirs["order_id"])
        compared = {
            "ord_status": (order["ord_status"], theirs["ord_status"]),
            "cum_qty": (order["cum_qty"], Decimal(theirs["cum_qty"])),
            "leaves_qty": (order["leaves_qty"], Decimal(theirs["leaves_qty"])),
            "order_qty": (order["order_qty"], Decimal(theirs["order_qty"])),
            "price": (order["price"], Decimal(theirs["price"]) if theirs["price"] else None),
        }
        for name, (here, there) in compared.items():
            if here != there:
                yield f"{order['ref']} {name}: {here} here, {there} at the venue"
    for name, theirs in venues.orders.items():
        if theirs["order_id"] not in ours:
            yield f"the venue has {theirs['order_id']} ({name}) and we do not"


def executions_agree(house: HouseSide, venues: VenueSide) -> Iterator[str]:
    """Every execution of the venue is in our tables once, with its figures, and nothing else is."""
    for request in (row for row in house.requests if row["kind"] == "new"):
        theirs = venues.orders.get(request["cl_ord_id"])
        said = venues.executions.get(theirs["order_id"], {}) if theirs else {}
        rows = house.executions.get(request["order_id"], [])
        here = Counter((row["exec_id"], row["effective_qty"], row["effective_px"]) for row in rows)
        there = Counter((name, qty, px) for name, (qty, px) in said.items())
        if here != there:
            yield f"{house.orders[request['order_id']]['ref']} executions: {here - there} only here, {there - here} only there"


def bookings_agree(house: HouseSide) -> Iterator[str]:
    """Cash and stock moved by each execution follow from it; balances are the sum of bookings; holds of reservations."""
    seen = set()
    for order_id, rows in house.executions.items():
        order = house.orders[order_id]
        for row in rows:
            seen.add(row["id"])
            sign = 1 if row["side"] == "1" else -1
            value = round_money(row["effective_qty"] * row["effective_px"] / order["price_divisor"], order["currency"])
            booked = house.bookings.get(row["id"], {"cash": None, "stock": None})
            wanted = (-sign * value, sign * row["effective_qty"])
            if (booked["cash"], booked["stock"]) != wanted:
                yield f"{order['ref']} {row['exec_id']} booked {booked['cash']}/{booked['stock']}, wanted {wanted}"
    for execution_id, row in house.bookings.items():
        if execution_id not in seen:
            yield f"bookings of execution {execution_id} ({row['order_id']}), which is not there"
    for row in house.balances:
        what = f"{row['code']} {row.get('currency') or row.get('instrument_id')}"
        if row["balance"] != row["booked"]:
            yield f"{what}: balance {row['balance']}, bookings {row['booked']}"
        if row["reserved"] != row["held"]:
            yield f"{what}: reserved {row['reserved']}, reservations {row['held']}"
    for row in house.held_by_closed:
        yield f"{row['ref']} is closed and still holds {row['cash']} / {row['stock']}"


def chains_hold(house: HouseSide) -> Iterator[str]:
    """The journal of every order has no gap, no fork, and ends where the order says."""
    for row in house.broken_chains:
        yield f"{row['stream']} breaks at {row['seq']}"
    for order_id, order in house.orders.items():
        if house.last_seqs.get(order_id, 0) != order["last_event_seq"]:
            yield f"{order['ref']} says event {order['last_event_seq']}, its journal {house.last_seqs.get(order_id, 0)}"


def audit(house: HouseSide, venues: VenueSide) -> list[str]:
    """Every finding of every check."""
    checks: Iterable[Iterator[str]] = (
        nothing_sent_twice(house, venues),
        every_request_ended(house),
        orders_agree(house, venues),
        executions_agree(house, venues),
        bookings_agree(house),
        chains_hold(house),
    )
    return [finding for check in checks for finding in check]
