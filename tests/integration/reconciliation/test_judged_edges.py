"""The reconciliation at its edges: what files leave out, other formats, random mixtures, cut files, the hours where days meet."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from journal.models import Event
from kernel.fix import Side
from reconciliation.domain.making.csv_file import write_csv
from reconciliation.domain.making.registry import ALL
from reconciliation.domain.making.sheet import Book, Record
from reconciliation.domain.records import Kind
from reconciliation.models import Break, RunBreak
from reconciliation.selectors.counterpart_books import books_of_day
from reconciliation.services.make_files import make_files
from refdata.models import Instrument
from tests.factories import make_listing, make_market
from tests.factories.judging import compare_book, compare_written, found, judge
from tests.factories.reconciled import DAY, MADE_AT, TradingDay, traded_at, trading_day

pytestmark = pytest.mark.django_db
SETTLES = date(2026, 11, 24)
SUMMER_ENDS = date(2026, 10, 25)


@pytest.fixture(scope="module")
def world(django_db_setup: None, django_db_blocker: Any) -> Iterator[TradingDay]:
    with django_db_blocker.unblock(), transaction.atomic():
        done = trading_day(18)
        there = make_market("XASX", "GBP", time_zone="Australia/Sydney")
        bank = make_listing("CBA.AX", last="1.10", price_unit="GBP", market=there)
        Instrument.objects.filter(id=bank.instrument_id).update(isin="AU000000CBA7")
        sydney = {"symbol": "CBA.AX", "price": Decimal("1.10")}
        traded_at(done, "sydney", datetime(2026, 11, 19, 23, 30, tzinfo=UTC), DAY, **sydney)
        traded_at(done, "sydney next", datetime(2026, 11, 20, 13, 30, tzinfo=UTC), DAY + timedelta(days=1), **sydney)
        late = {"symbol": "MSFT", "price": Decimal("40.00"), "account": "RECON-2"}
        traded_at(done, "new york late", datetime(2026, 11, 21, 1, 30, tzinfo=UTC), DAY, **late)
        for hour in (0, 1):
            at = datetime(2026, 10, 25, hour, 30, tzinfo=UTC)
            traded_at(done, f"summer {hour}", at, SUMMER_ENDS, side=Side.SELL)
        traded_at(done, "midnight", datetime(2026, 10, 24, 23, 0, tzinfo=UTC), SUMMER_ENDS)
        yield done
        transaction.set_rollback(True)


def book(kind: Kind, day: date = DAY) -> Book:
    return next(one for one in books_of_day(day=day, kinds=[kind], at=MADE_AT + timedelta(days=10)))


def without(one: Book, *columns: str) -> Book:
    records = tuple(
        Record(record.key, {name: value for name, value in record.values.items() if name not in columns}, record.about)
        for record in one.records
    )
    return replace(one, records=records)


LEFT_OUT = [
    ("account", "isin"), ("symbol", "mic"), ("isin", "mic", "account"), ("cl_ord_id",), ("venue_order_id",),
    ("trade_date", "settlement_date"), ("commission", "fees", "currency"), ("transact_time",),
    ("account", "isin", "symbol", "mic", "side", "currency", "commission", "fees", "trade_date", "settlement_date"),
]  # fmt: skip


@pytest.mark.parametrize("columns", LEFT_OUT, ids=" ".join)
def test_what_a_file_does_not_say_breaks_nothing(world: TradingDay, columns: tuple[str, ...], tmp_path: Path) -> None:
    one = without(book(Kind.EXECUTIONS), *columns)
    run = compare_written(one, tmp_path / "bare.csv", write_csv(one)[0])
    assert [(item.category, item.why) for item in found(run)] == []
    assert (run.state, run.external) == ("done", len(one.records))


@pytest.mark.parametrize(
    "columns", [("account", "isin"), ("cl_ord_id",), ("venue_order_id",), ("ord_type", "price", "leaves_qty")]
)
def test_what_a_list_of_orders_does_not_say_breaks_nothing(
    world: TradingDay, columns: tuple[str, ...], tmp_path: Path
) -> None:
    one = without(book(Kind.ORDERS), *columns)
    one = replace(one, records=tuple(r for r in one.records if r["cl_ord_id"] or r["venue_order_id"]))
    run = compare_written(one, tmp_path / "bare.csv", write_csv(one)[0])
    gone = len(book(Kind.ORDERS).records) - len(one.records)
    assert [(item.category, item.why) for item in found(run) if item.category != "missing_external"] == []
    assert len(found(run)) == gone


def test_a_drop_copy_log_is_judged_like_a_file(world: TradingDay, tmp_path: Path) -> None:
    """What a log cannot say (a cut, another zone) is left out of the planting."""
    names = [k for k in ALL if k.kind is Kind.EXECUTIONS and k.name not in ("truncated", "after_cut", "other_zone")]
    made = world.make(tmp_path, ",".join(f"{kind.full_name}:1" for kind in names), seed=11, kinds=(Kind.EXECUTIONS,))
    assert judge(made, "executions", compare_book(made, "executions", "fix_log")).lines() == []


def test_a_file_that_lost_its_end_is_doubted_and_does_nothing(world: TradingDay, tmp_path: Path) -> None:
    good = world.make(tmp_path / "good", "executions.quantity:1", kinds=(Kind.EXECUTIONS,))
    standing = compare_book(good, "executions")
    made = world.make(tmp_path / "cut", "executions.truncated:1", kinds=(Kind.EXECUTIONS,))
    before = Event.objects.filter(kind__in=["AnomalyRaised", "AnomalyCleared"]).count()
    run = compare_book(made, "executions")
    assert run.state == "suspect"
    assert run.sentence
    assert run.closed == 0
    assert Break.objects.get(id=found(standing)[0].id).state == "open"
    told = Event.objects.filter(kind="AnomalyRaised").order_by("-position")[0]
    assert told.payload["kind"] == "RUN_SUSPECT"
    assert Event.objects.filter(kind__in=["AnomalyRaised", "AnomalyCleared"]).count() == before + 1


@pytest.mark.parametrize("day", [DAY, DAY + timedelta(days=1), SUMMER_ENDS], ids=str)
@pytest.mark.parametrize("dated", [True, False])
def test_the_hours_where_days_meet_break_nothing(world: TradingDay, day: date, dated: bool, tmp_path: Path) -> None:
    """Sydney's morning is still yesterday in London, New York's evening already tomorrow, and on one night an hour comes twice."""
    one = book(Kind.EXECUTIONS, day)
    one = replace(one, cut_at=datetime(day.year, day.month, day.day, 23, 59, tzinfo=UTC) + timedelta(days=1))
    one = one if dated else without(one, "trade_date")
    run = compare_written(one, tmp_path / "day.csv", write_csv(one)[0], at=MADE_AT + timedelta(days=3))
    assert [(item.category, item.why) for item in found(run)] == []
    assert run.internal >= run.matched > 0


def test_cash_of_the_day_trades_settle_is_judged_by_entry(world: TradingDay, tmp_path: Path) -> None:
    kinds = ",".join(f"{kind.full_name}:1" for kind in ALL if kind.kind is Kind.CASH)
    for seed in (1, 2):
        made = make_files(
            day=SETTLES,
            seed=seed,
            breaks=kinds,
            out=tmp_path / str(seed),
            kinds=(Kind.CASH,),
            at=MADE_AT + timedelta(days=4),
        )
        run = compare_book(made, "cash", as_of=SETTLES, at=MADE_AT + timedelta(days=5))
        assert judge(made, "cash", run).lines() == []
        assert len(made.planted) == 7


NAMES = [kind.full_name for kind in ALL if kind.kind is Kind.EXECUTIONS and kind.name not in ("truncated", "after_cut")]


@settings(
    max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], derandomize=True,
    phases=[Phase.generate],
)  # fmt: skip
@given(counts=st.dictionaries(st.sampled_from(NAMES), st.integers(1, 2), max_size=9), seed=st.integers(0, 10**6))
def test_random_mixtures_are_found_whole(world: TradingDay, tmp_path: Path, counts: dict[str, int], seed: int) -> None:
    single = {"executions.several", "executions.bust_unknown_to_them", "executions.correction_unknown_to_them"}
    breaks = ",".join(f"{name}:{1 if name in single else count}" for name, count in counts.items())
    made = world.make(tmp_path, breaks, seed=seed, kinds=(Kind.EXECUTIONS,))
    run = compare_book(made, "executions")
    assert judge(made, "executions", run).lines() == []
    assert RunBreak.objects.filter(run=run).exclude(word="closed").count() == sum(
        len(p.change.expected) for p in made.planted
    )
