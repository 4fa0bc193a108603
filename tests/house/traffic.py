"""Traffic for a house that is being hurt: orders, replaces and cancels through the API, each repeated under its key until
there is an answer."""

from __future__ import annotations

import contextlib
import http.client
import json
import threading
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from random import Random
from typing import Any

import psycopg

from kernel.numbers import plain
from oms_project.seed.flow_terms import on_tick, shifted
from refdata.domain.tick_table import Band

LISTINGS = """
    SELECT l.symbol, l.currency, l.price_divisor, l.lot_size, l.instrument_id::text, p.last, l.tick_table_id
    FROM refdata_listing l JOIN refdata_referenceprice p ON p.listing_id = l.id WHERE l.market_id = ANY(%s) ORDER BY 1"""
ACCOUNTS = """
    SELECT a.code, array_agg(h.instrument_id::text) FROM accounts_tradingaccount a
    JOIN accounts_accountgroup g ON g.id = a.group_id JOIN accounts_holding h ON h.account_id = a.id
    WHERE g.code = %s GROUP BY a.code ORDER BY a.code"""
VALUE = (1_500, 9_000)
HANG_UP_EVERY = 6


@dataclass(frozen=True, slots=True)
class Listing:
    """What a client knows of a listing: where prices are and which are valid."""

    symbol: str
    currency: str
    divisor: int
    lot_size: Decimal
    instrument_id: str
    last: Decimal
    bands: tuple[Band, ...]

    def price(self, basis_points: int, *, buy: bool) -> str:
        """A valid limit that reaches ``basis_points`` further than the last price; below zero it rests."""
        return plain(on_tick(self.bands, shifted(self.last, basis_points, towards_buy=buy), up=not buy))

    def quantity(self, value: int) -> str:
        """Whole lots worth about ``value`` in the currency."""
        lots = max(int(Decimal(value) * self.divisor / self.last / self.lot_size), 1)
        return plain(lots * self.lot_size)


@dataclass(frozen=True, slots=True)
class World:
    """Listings of some markets and the accounts that trade them, with the instruments each account holds."""

    listings: tuple[Listing, ...]
    accounts: tuple[tuple[str, frozenset[str]], ...]


def read_world(database: str, *, mics: Sequence[str], group: str) -> World:
    """The world as the seed made it."""
    with psycopg.connect(database) as connection:
        bands: dict[int, list[Band]] = {}
        for table, start, tick in connection.execute(
            "SELECT table_id, price_from, tick FROM refdata_tickband ORDER BY price_from"
        ):
            bands.setdefault(table, []).append(Band(start, tick))
        rows = connection.execute(LISTINGS, [list(mics)]).fetchall()
        accounts = connection.execute(ACCOUNTS, [group]).fetchall()
    return World(
        tuple(
            Listing(symbol, currency, divisor, lot_size, instrument_id, last, tuple(bands[table]))
            for symbol, currency, divisor, lot_size, instrument_id, last, table in rows
        ),
        tuple((code, frozenset(held)) for code, held in accounts),
    )


@dataclass(frozen=True, slots=True)
class Call:
    """One POST with its key, and the answer that ended it."""

    kind: str
    path: str
    key: str
    body: dict[str, Any]
    status: int
    answer: dict[str, Any]
    replayed: bool = False


class Door:
    """The API behind one token. ``post`` repeats with the same key until there is an answer that says what happened."""

    def __init__(self, port: int, token: str, *, give_up: float = 60) -> None:
        self._port = port
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        self._give_up = give_up
        self._posts = 0
        self.setbacks: Counter[str] = Counter()

    def post(self, kind: str, path: str, key: str, body: dict[str, Any]) -> Call:
        """The call with its answer; AssertionError when nobody answers for too long."""
        deadline = time.monotonic() + self._give_up
        self._posts += 1
        if self._posts % HANG_UP_EVERY == 0:
            with contextlib.suppress(OSError):
                self._hang_up(path, key, body)
        while True:
            try:
                status, answer, replayed = self._once(path, key, body)
            except (OSError, http.client.HTTPException, ValueError) as problem:
                self.setbacks[type(problem).__name__] += 1
            else:
                if status < 500:
                    return Call(kind, path, key, body, status, answer, replayed)
                self.setbacks[f"HTTP {status} {answer.get('code', '')}".strip()] += 1
            assert time.monotonic() < deadline, f"no answer to {path}: {dict(self.setbacks)}"
            time.sleep(0.15)

    def _send(self, path: str, key: str, body: dict[str, Any]) -> http.client.HTTPConnection:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=10)
        headers = {**self._headers, "Idempotency-Key": key}
        connection.request("POST", f"/api/v1{path}", json.dumps(body), headers)
        return connection

    def _hang_up(self, path: str, key: str, body: dict[str, Any]) -> None:
        """Send, and be gone before the answer comes: the repetition meets the first call at work, or its answer."""
        self._send(path, key, body).close()
        self.setbacks["hung up"] += 1

    def _once(self, path: str, key: str, body: dict[str, Any]) -> tuple[int, dict[str, Any], bool]:
        connection = self._send(path, key, body)
        try:
            response = connection.getresponse()
            text = response.read()
            answer = json.loads(text) if response.headers.get_content_type() == "application/json" else {}
            return response.status, answer, response.headers.get("Idempotency-Replayed") == "true"
        finally:
            connection.close()


@dataclass
class Client(threading.Thread):
    """A client that sends until told to stop or ``limit`` calls are made. ``calls`` holds every answer."""

    client: str
    door: Door
    world: World
    seed: int
    limit: int
    pause: float
    calls: list[Call] = field(default_factory=list)
    failure: BaseException | None = None

    def __post_init__(self) -> None:
        super().__init__(name=self.client, daemon=True)
        self._random = Random(self.seed)
        self._stop_sending = threading.Event()
        self._resting: list[tuple[str, bool, Listing]] = []

    __hash__ = threading.Thread.__hash__

    def finish(self) -> None:
        """End after the call under way, and raise what went wrong."""
        self._stop_sending.set()
        self.join(90)
        assert not self.is_alive(), f"{self.client} still waits for an answer"
        if self.failure is not None:
            raise self.failure

    def run(self) -> None:
        try:
            while len(self.calls) < self.limit and not self._stop_sending.wait(self.pause):
                self._step()
        except BaseException as problem:
            self.failure = problem

    def _step(self) -> None:
        chance = self._random.random()
        key = f"{self.client}-{len(self.calls)}"
        if chance < 0.30 and self._resting:
            order_id, buy, listing = self._resting[-1]
            if chance < 0.14:
                self._resting.pop()
                self._send("cancel", f"/orders/{order_id}/cancel", key, {"reason": "chaos"})
            else:
                price = listing.price(self._random.choice((-250, -150, -80, 60)), buy=buy)
                self._send("replace", f"/orders/{order_id}/replace", key, {"price": price})
            return
        body, buy, listing = self._new(key)
        call = self._send("new", "/orders", key, body)
        if call.status == 201 and body["time_in_force"] in ("day", "gtc") and body["ord_type"] == "limit":
            self._resting.append((call.answer["order_id"], buy, listing))

    def _new(self, key: str) -> tuple[dict[str, Any], bool, Listing]:
        account, held = self._random.choice(self.world.accounts)
        buy = self._random.random() < 0.5
        listing = self._random.choice([one for one in self.world.listings if buy or one.instrument_id in held])
        ord_type, time_in_force, reach = self._random.choice(
            (
                *(("limit", "day", -150), ("limit", "day", -100), ("limit", "gtc", -200), ("limit", "day", 40)),
                *(("limit", "day", 60), ("market", "day", 0), ("limit", "ioc", 40), ("limit", "fok", 40)),
            )
        )
        body = {
            "client_order_id": key,
            "account": account,
            "symbol": listing.symbol,
            "side": "buy" if buy else "sell",
            "ord_type": ord_type,
            "time_in_force": time_in_force,
            "order_qty": listing.quantity(self._random.randint(*VALUE)),
        }
        if ord_type == "limit":
            body["price"] = listing.price(reach, buy=buy)
        return body, buy, listing

    def _send(self, kind: str, path: str, key: str, body: dict[str, Any]) -> Call:
        call = self.door.post(kind, path, key, body)
        self.calls.append(call)
        return call
