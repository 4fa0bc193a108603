"""Counterpart files out of our own books: whole, the same for the same seed, with exactly what was asked for in them."""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction

from accounts.models import CashBalance, Holding
from kernel.errors import Invalid
from orders.models import Execution, Order, UnmatchedReport
from reconciliation.domain.records import RECONCILED, Kind
from tests.factories.reconciled import DAY, MADE_AT, TradingDay, trading_day

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def world(django_db_setup: None, django_db_blocker: Any) -> Iterator[TradingDay]:
    """One day for all tests of the file, which only read it."""
    with django_db_blocker.unblock(), transaction.atomic():
        yield trading_day()
        transaction.set_rollback(True)


def rows(path: Path) -> list[dict[str, str]]:
    lines = [line for line in path.read_text().splitlines() if not line.startswith("#")]
    return list(csv.DictReader(lines))


def test_without_breaks_files_say_what_the_books_say(world: TradingDay, tmp_path: Path) -> None:
    made = world.make(tmp_path)
    assert made.planted == ()
    trades = [row for row in rows(tmp_path / "executions.csv") if row["exec_type"] == "trade"]
    strangers = UnmatchedReport.objects.filter(order=None).count()
    assert len(trades) == Execution.objects.filter(trade_date=DAY).count() + strangers
    later = [row for row in rows(tmp_path / "executions.csv") if row["exec_type"] != "trade"]
    assert sorted(row["exec_type"] for row in later) == ["bust", "bust", "correction"]

    told = {row["venue_order_id"] or row["cl_ord_id"]: row for row in rows(tmp_path / "orders.csv")}
    for order in Order.objects.filter(ord_status__isnull=False):
        row = told[order.venue_order_id or order.cl_ord_id or ""]
        assert (Decimal(row["cum_qty"]), Decimal(row["leaves_qty"])) == (order.cum_qty, order.leaves_qty)
    assert len(told) == Order.objects.filter(requests__handed_over_at__isnull=False).distinct().count() + 1  # by phone

    traded = {(row["account"], row["isin"]): Decimal(row["qty"]) for row in rows(tmp_path / "positions_traded.csv")}
    for holding in Holding.objects.select_related("account"):
        net = holding.settled + holding.pending - holding.short
        isin = {world.dollars.instrument_id: "US5949181045"}.get(holding.instrument_id, "GB00BH4HKS39")
        assert traded.get((holding.account.code, isin), Decimal(0)) == net
    settled = {
        (r["account"], r["currency"]): Decimal(r["amount"])
        for r in rows(tmp_path / "cash.csv")
        if r["record"] == "balance"
    }
    for balance in CashBalance.objects.select_related("account"):
        assert settled.get((balance.account.code, balance.currency), Decimal(0)) == balance.settled


def test_a_list_of_orders_tells_no_moment_after_it_was_made(world: TradingDay, tmp_path: Path) -> None:
    assert Order.objects.filter(updated_at__gt=MADE_AT).exists(), "an order that has lived on"
    world.make(tmp_path)
    moments = [datetime.fromisoformat(row["transact_time"]) for row in rows(tmp_path / "orders.csv")]
    assert max(moments) == MADE_AT


def test_the_same_seed_makes_the_same_bytes(world: TradingDay, tmp_path: Path) -> None:
    breaks = "several:1,quantity:2,orders.status:2,positions.action_ratio:1,cash.amount:1"
    first, again = (world.make(tmp_path / name, breaks, variants=True) for name in ("one", "two"))
    assert [file.content for file in first.files] == [file.content for file in again.files]
    assert first.told == again.told
    other = world.make(tmp_path / "three", breaks, seed=2)
    assert other.told["breaks"] != first.told["breaks"]


def test_planted_json_says_where_each_plant_is(world: TradingDay, tmp_path: Path) -> None:
    world.make(tmp_path, "missing_internal:2,repeated_exec_id:1,orders.price:2,missing_external:1,positions.sign:1")
    told = json.loads((tmp_path / "planted.json").read_text())
    assert [one["plant"] for one in told["breaks"]] == [
        "executions.repeated_exec_id", "executions.missing_internal", "executions.missing_internal",
        "executions.missing_external", "orders.price", "orders.price", "positions.sign",
    ]  # fmt: skip
    for one in told["breaks"]:
        lines = (tmp_path / f"{one['book']}.csv").read_text().splitlines()
        names = [next(iter(values.values())) for values in one["after"]]
        assert [lines[number - 1].split(",")[0] for number in one["lines"][f"{one['book']}.csv"]] == names
    for file in told["files"]:
        assert hashlib.sha256((tmp_path / file["name"]).read_bytes()).hexdigest() == file["sha256"]


def test_the_kinds_asked_for_are_made_and_no_other(world: TradingDay, tmp_path: Path) -> None:
    world.make(tmp_path, "quantity:1", kinds=(Kind.ORDERS,))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["orders.csv", "planted.json"]
    told = json.loads((tmp_path / "planted.json").read_text())
    assert [one["plant"] for one in told["breaks"]] == ["orders.quantity"]


def test_what_cannot_be_planted_writes_nothing(world: TradingDay, tmp_path: Path) -> None:
    out = tmp_path / "none"
    for breaks, code in (("positions.sign:1000", "TOO_FEW_RECORDS"), ("ghost:1", "BREAKS_INVALID")):
        with pytest.raises(Invalid) as refused:
            world.make(out, breaks, kinds=RECONCILED)
        assert refused.value.code == code
    assert not out.exists()
