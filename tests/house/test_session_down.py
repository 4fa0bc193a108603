"""The venue goes away for longer than an order may wait: who asked is told, nothing is held for it, nothing leaves late."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any

import psycopg
import pytest
from psycopg.rows import dict_row

from oms_project.house.paths import ROOT
from oms_project.house.throwaway import Servers, prepared, running_roles
from tests.house.audit import read_house, read_venues
from tests.house.support import wait_until
from tests.house.test_up import crowding
from tests.house.traffic import Call, Door, Listing, read_world

pytestmark = [pytest.mark.house, pytest.mark.fix, pytest.mark.timeout(600)]
WAIT_S = 6
SEED = "import django; django.setup(); from oms_project.seed.run import seed_demo; seed_demo()"
SWITCH_ON = (
    "INSERT INTO risk_block (id, scope, scope_id, source, reason, imposed_by, imposed_at, lifted_by, lifted_at) "
    "SELECT gen_random_uuid(), 'firm', '', 'trading_switch', 'start', 'test', now(), 'test', now() "
    "WHERE NOT EXISTS (SELECT FROM risk_block WHERE source = 'trading_switch')"
)


class Desk:
    """A house without a simulator of its own, one account, one listing, and a dealer's token."""

    def __init__(self, found: Servers) -> None:
        self.found = found
        rows = json.loads(found.house.sign_ins_file.read_text())
        token = next(row["token"] for row in rows if row["username"] == "a.khan")
        self.door = Door(int(found.environment["OMS_WEB_PORT"]), token)
        world = read_world(found.superuser, mics=["XLON"], group="EQ1-UK")
        self.account = world.accounts[0][0]
        self.listing: Listing = world.listings[0]
        self.calls = 0

    def sql(self, text: str, *values: Any) -> list[dict[str, Any]]:
        """One statement, committed; its rows."""
        with psycopg.connect(self.found.superuser, autocommit=True, row_factory=dict_row) as connection:
            cursor = connection.execute(text.encode(), values)
            return cursor.fetchall() if cursor.description else []

    def post(self, kind: str, path: str, body: dict[str, Any]) -> Call:
        self.sql("UPDATE refdata_referenceprice SET priced_at = now()")
        self.calls += 1
        return self.door.post(kind, path, f"key-{self.calls}", body)

    def buy(self, ord_type: str, time_in_force: str, *, reach: int = -150) -> Call:
        body = {
            "account": self.account,
            "symbol": self.listing.symbol,
            "side": "buy",
            "ord_type": ord_type,
            "time_in_force": time_in_force,
            # each another quantity: equal orders are asked about
            "order_qty": self.listing.quantity(4_000 + 200 * self.calls),
        }
        if ord_type == "limit":
            body["price"] = self.listing.price(reach, buy=True)
        call = self.post("new", "/orders", body)
        assert call.status == 201, call
        return call

    def request(self, call: Call) -> tuple[str, str]:
        """(state, outcome code) of what a call asked for."""
        row = self.sql("SELECT state, outcome_code FROM orders_orderrequest WHERE id = %s", call.answer["request_id"])[
            0
        ]
        return row["state"], row["outcome_code"]

    def is_in(self, call: Call, state: str, code: str) -> bool:
        return self.request(call) == (state, code)

    def held(self, call: Call) -> Any:
        """Cash kept back for the order of a call."""
        rows = self.sql("SELECT cash FROM accounts_reservation WHERE order_id = %s", call.answer["order_id"])
        return rows[0]["cash"] if rows else 0

    def events(self, call: Call) -> list[str]:
        stream = f"order:{call.answer['order_id']}"
        return [
            row["kind"] for row in self.sql("SELECT kind FROM journal_event WHERE stream = %s ORDER BY seq", stream)
        ]

    def session(self) -> str:
        return str(self.sql("SELECT state FROM venues_fixsession WHERE name = 'SIM1-A'")[0]["state"])

    @contextmanager
    def venue(self) -> Iterator[None]:
        """The simulator runs, its session is on."""
        with running_roles(self.found, ["simulator"]):
            wait_until(lambda: self.session() == "logged_on", 120)
            yield
        wait_until(lambda: self.session() == "down", 20)


@pytest.fixture
def desk() -> Iterator[Desk]:
    with ExitStack() as stack:
        found = stack.enter_context(prepared())
        subprocess.run([sys.executable, "-c", SEED], cwd=ROOT, env=found.environment, check=True)
        desk = Desk(found)
        desk.sql(SWITCH_ON)
        desk.sql("UPDATE venues_fixsession SET wait_s = %s", WAIT_S)
        stack.enter_context(running_roles(found, ["web", "relay", "inbox", "gateway-SIM1"]))
        yield desk


def test_a_venue_that_stays_away(desk: Desk) -> None:
    with desk.venue():
        working = desk.buy("limit", "gtc", reach=-900)
        wait_until(lambda: desk.request(working) == ("accepted", ""))
        held = desk.held(working)

    at_once = [desk.buy("market", "day"), desk.buy("limit", "ioc"), desk.buy("limit", "fok")]
    patient = desk.buy("limit", "day")
    taken_back = desk.buy("limit", "day")
    waits_since = time.monotonic()
    order = working.answer["order_id"]
    replace = desk.post("replace", f"/orders/{order}/replace", {"price": desk.listing.price(-800, buy=True)})
    assert replace.status == 201, replace
    cancel_unsent = desk.post("cancel", f"/orders/{taken_back.answer['order_id']}/cancel", {"reason": "changed mind"})

    for call in at_once:
        wait_until(partial(desk.is_in, call, "refused", "SESSION_DOWN"), 3 * crowding())
        assert desk.held(call) == 0
        assert desk.events(call)[-1] == "RequestNotSent"
    wait_until(lambda: desk.request(cancel_unsent)[0] == "accepted", 3 * crowding())
    assert (desk.request(taken_back)[0], desk.held(taken_back)) == ("withdrawn", 0)
    if time.monotonic() - waits_since < WAIT_S - 1:
        assert desk.request(patient) == ("released", "")
        assert desk.held(patient) > 0

    wait_until(lambda: desk.request(patient) == ("refused", "WAITED_TOO_LONG"), WAIT_S + 5 * crowding())
    assert (desk.held(patient), desk.events(patient)[-1]) == (0, "RequestNotSent")
    wait_until(lambda: desk.request(replace) == ("refused", "WAITED_TOO_LONG"))
    assert "RequestNotSent" in desk.events(working)
    assert desk.held(working) == held

    with desk.venue():
        later = desk.buy("limit", "gtc", reach=-900)
        wait_until(lambda: desk.request(later) == ("accepted", ""))
        house, venues = read_house(desk.found.superuser), read_venues(desk.found.house.var / "simulator")
        sent = [row["cl_ord_id"] for row in house.outbound]
        assert sorted(sent) == sorted([working.answer["cl_ord_id"], later.answer["cl_ord_id"]])
        assert set(venues.orders) == set(sent)
        assert {order["ord_status"] for order in venues.orders.values()} == {"0"}
        assert {house.orders[call.answer["order_id"]]["ord_status"] for call in (working, later)} == {"0"}
