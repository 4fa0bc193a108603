"""What is taken out of a file because our books would write it word for word changes nothing: whatever the file says and
however it says it, both ways of comparing it find, count and sum the same.
"""

from __future__ import annotations

import csv
import io
import random
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction

from accounts.models import Booking
from journal.bulk import raw_cursor
from kernel.ids import new_id
from orders.models import Execution
from reconciliation.domain.records import Kind
from reconciliation.domain.rules import Rules
from reconciliation.formats import csv_file
from reconciliation.formats.blocks import BLOCK, Blocks
from reconciliation.formats.known_lines import TooManyUnknown
from reconciliation.formats.problems import FileProblem
from reconciliation.matching import executions, known_trades
from reconciliation.matching.comparing import Task
from reconciliation.matching.known import Known
from reconciliation.models import Break
from reconciliation.services import do_run
from reconciliation.staging import staged
from refdata.models import Instrument
from tests.factories import AT
from tests.factories.judging import compare
from tests.factories.reconciled import DAY, TradingDay, trading_day
from tests.factories.statements import execution_rows

pytestmark = pytest.mark.django_db

Rows = list[dict[str, str]]
FILES = 24


@pytest.fixture(scope="module")
def day(django_db_setup: None, django_db_blocker: Any) -> Iterator[TradingDay]:
    with django_db_blocker.unblock(), transaction.atomic():
        done = trading_day(10)
        _charge(Execution.objects.filter(trade_date=DAY).order_by("id")[::2])
        yield done
        transaction.set_rollback(True)


def _charge(fills: Iterable[Execution]) -> None:
    for number, one in enumerate(fills):
        for kind, amount in (("commission", "-1.25"), ("fee", "-0.5"), ("tax", f"-{number}"))[: number % 4]:
            Booking.objects.create(
                account_id=one.order.account_id, event_id=new_id(), order_id=one.order_id, execution_id=one.id, kind=kind,
                layer=Booking.Layer.PENDING, currency="GBP", amount=Decimal(amount), trade_date=one.trade_date,
                settlement_date=one.trade_date, recorded_at=AT,
            )  # fmt: skip


def _with_charges(rows: Rows) -> Rows:
    """As a broker lists them who charges what we have booked."""
    booked: defaultdict[tuple[str, str], defaultdict[str, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    names = {one.id: (one.exec_id, one.cl_ord_id or "") for one in Execution.objects.all()}
    for one in Booking.objects.filter(execution_id__in=names, kind__in=("commission", "fee", "tax")):
        assert one.execution_id is not None
        booked[names[one.execution_id]]["commission" if one.kind == "commission" else "fees"] -= one.amount
    charges = [booked[row["exec_id"], row["cl_ord_id"]] for row in rows]
    return [
        {**row, **{name: f"{charge[name].normalize():f}" for name in ("commission", "fees")}}
        for row, charge in zip(rows, charges, strict=True)
    ]


def said(path: Path, *, whole: bool, cut: datetime | None = None, markets: tuple[str, ...] = ()) -> Any:
    """All that a comparison says of a file, or why it cannot be read; and how many of its lines were not even staged."""
    with raw_cursor(binary=True) as cursor:
        try:
            kind = Kind.EXECUTIONS
            known = None if whole else known_trades.load_known(cursor, path, kind, as_of=DAY, markets=markets)
            with staged(cursor, path, kind, known=known.lines if known else None) as stage:
                task = Task(
                    table=stage.table, source="BROKER", as_of=DAY, at=AT + timedelta(hours=9), rules=Rules(), cut_at=cut,
                    markets=markets, known=known, add=stage.add,
                )  # fmt: skip
                found = executions.compare(cursor, task)
                met = known.lines.met if known else 0
        except TooManyUnknown:
            return said(path, whole=True, cut=cut, markets=markets)
        except FileProblem as problem:
            return (problem.code, problem.sentence), 0
    sorted_ = sorted(found.findings, key=lambda one: (one.key("executions", "BROKER"), one.lines, str(one.ours)))
    read = (stage.counted, list(stage.problems), stage.problems.counts, list(stage.notes), stage.columns)
    return (replace(found, findings=sorted_), read), met


def test_any_file_is_judged_alike_whichever_way_it_is_read(
    day: TradingDay, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    books, met = execution_rows(), []
    charged = _with_charges(books)
    for seed in range(FILES):
        dice = random.Random(seed)
        path = tmp_path / f"{seed}.csv"
        rows = charged if dice.random() < 0.3 else books
        path.write_text(_file(_spoiled(dice, [dict(row) for row in rows]), dice), newline="")
        monkeypatch.setattr(csv_file, "Blocks", partial(Blocks, block=dice.choice([300, 900, BLOCK])))
        monkeypatch.setattr(known_trades, "_CHUNK", dice.choice([1, 5, 2_000]))
        options: dict[str, Any] = {
            "cut": AT + timedelta(seconds=dice.randrange(9)) if dice.random() < 0.2 else None,
            "markets": ("XNAS",) if dice.random() < 0.2 else (),
        }
        known, count = said(path, whole=False, **options)
        assert known == said(path, whole=True, **options)[0], seed
        met.append(count)
    assert sum(count > 0 for count in met) > FILES / 2, met
    assert len(set(met)) > 5, met


def _spoiled(dice: random.Random, rows: Rows) -> Rows:
    """Rows of our books, some of them otherwise than we have them."""
    changes: list[Callable[[], Any]] = [
        lambda: rows.pop(dice.randrange(len(rows))),
        lambda: rows.extend([dict(dice.choice(rows))] * dice.choice([1, 1, 2])),
        lambda: rows.append({**dice.choice(rows), "last_qty": "3"}),
        lambda: rows.append({**dice.choice(rows), "exec_id": dice.choice(rows)["exec_id"]}),
        lambda: rows.append({**dice.choice(rows), "exec_id": dice.choice(["R1", "R2"])}),
        lambda: rows.append({**dice.choice(rows), "exec_id": "NEW", "exec_type": dice.choice(["trade", "bust"])}),
        lambda: rows.append(_about(dice.choice(rows), dice.choice(["bust", "correction", "H"]))),
        lambda: rows.append({**dice.choice(rows), "cl_ord_id": "", "venue_order_id": ""}),
        lambda: dice.choice(rows).update(_changed(dice)),
        lambda: [row.update(cl_ord_id="") for row in rows if dice.random() < 0.6],
    ]
    for change in dice.choices(changes, weights=[3, 3, 2, 2, 2, 1, 2, 1, 6, 0.4], k=dice.randrange(1, 9)):
        change()
    if dice.random() < 0.8:
        dice.shuffle(rows)
    return rows


def _about(row: dict[str, str], kind: str) -> dict[str, str]:
    return {**row, "exec_id": f"{row['exec_id']}-V", "exec_ref_id": row["exec_id"], "exec_type": kind, "last_px": "1.5"}


def _changed(dice: random.Random) -> dict[str, str]:
    """What differs, what only looks so, and what no reader takes."""
    return dice.choice([
        {"last_qty": "7"}, {"last_px": "9.99"}, {"last_px": "72.400000000000"}, {"side": "2"}, {"side": "Buy"}, {"currency": "USD"},
        {"transact_time": "2026-11-20T10:00:00+01:00"}, {"settlement_date": ""}, {"settlement_date": "20261224"}, {"isin": ""},
        {"isin": "GB0000000000"}, {"last_qty": "1,5"}, {"venue_order_id": " X "}, {"cl_ord_id": 'C"1'}, {"trade_date": ""},
        {"exec_id": ""}, {"exec_type": ""}, {"commission": "1.5"}, {"cl_ord_id": "#C"}, {"account": "ELSE"}, {"mic": "xlon"},
    ])  # fmt: skip


def _file(rows: Rows, dice: random.Random) -> str:
    """In one of many spellings, with what may stand around the rows."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    left_out = dice.sample(
        ["trade_date", "transact_time", "settlement_date", "venue_order_id", "cl_ord_id", "exec_type"], 2
    )
    if dice.random() < 0.5:
        names = [name for name in names if name not in left_out]
    dice.shuffle(names)
    places, micros, zone = dice.choice([None, 2, 8]), dice.choice([True, False]), dice.choice(["Z", "+00:00"])
    for row in rows:
        whole, _, part = row.get("last_px", "").partition(".")
        if places and len(part) < places:
            row["last_px"] = f"{whole}.{part:0<{places}}"
        if micros and row.get("transact_time", "").endswith("+00:00"):
            at = datetime.fromisoformat(row["transact_time"]).astimezone(UTC)
            row["transact_time"] = f"{at:%Y-%m-%dT%H:%M:%S.%f}{zone}"
    out = io.StringIO()
    writer = csv.DictWriter(
        out, names, delimiter=dice.choice(",,;\t|"), lineterminator=dice.choice(["\n", "\n", "\r\n"]),
        extrasaction="ignore",
    )  # fmt: skip
    writer.writeheader()
    writer.writerows(rows)
    lines = out.getvalue().splitlines(keepends=True)
    around = dice.random()
    if around < 0.1:
        lines.insert(dice.randrange(1, len(lines)), "# said in passing\n")
    elif around < 0.2:  # a record that swallows a line of ours, and another
        begin = dice.randrange(1, len(lines))
        lines[begin] = f'"{lines[begin]}'
        lines[-1] = f'"{lines[-1]}'
    elif around < 0.3:
        lines.append(f"#TRAILER rows={len(rows)} sum.last_qty={dice.choice(['1', _sum(rows)])}\n")
    elif around < 0.35:
        lines.insert(len(lines) // 2, f"#TRAILER rows={len(rows)}\n")
    return "".join(lines)


def _sum(rows: Rows) -> str:
    return str(sum(Decimal(row["last_qty"]) for row in rows if row["last_qty"].replace(".", "").isdigit()))


def test_what_agrees_is_not_staged_and_what_bears_its_name_is(day: TradingDay, tmp_path: Path) -> None:
    rows = execution_rows()
    whole, met = said(_written(tmp_path, rows), whole=False)
    ours = sum(bool(row.get("trade_date")) for row in rows)
    assert met > ours * 0.8, "but for what the file leaves empty, all of ours"
    assert whole[0].findings == []
    twice = next(row for row in rows if row["exec_id"] not in ("R1", "R2") and row.get("trade_date"))
    again, met_then = said(_written(tmp_path, [*rows, twice]), whole=False)
    assert met_then == met - 1, "which of the two is ours, nobody can say before they are compared"
    (found,) = again[0].findings
    assert (found.category, sorted(found.lines)[-1]) == ("duplicate_suspect", len(rows) + 2)


def test_what_is_charged_alike_is_not_staged_either(day: TradingDay, tmp_path: Path) -> None:
    rows = _with_charges(execution_rows())
    assert len({row["fees"] for row in rows}) > 3
    known, met = said(_written(tmp_path, rows), whole=False)
    assert known == said(_written(tmp_path, rows), whole=True)[0]
    assert met > len(rows) * 0.6
    one = next(row for row in rows if row["fees"] != "0" and not row["exec_id"].startswith("R"))
    one["fees"] = "99"
    known, met_then = said(_written(tmp_path, rows), whole=False)
    found = [finding.lines for finding in known[0].findings if any(each.theirs == "99" for each in finding.differences)]
    assert (found, met_then) == ([(rows.index(one) + 2,)], met - 1)


def _written(folder: Path, rows: list[dict[str, Any]]) -> Path:
    names = list(dict.fromkeys(name for row in rows for name in row))
    path = folder / "written.csv"
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, names)
        writer.writeheader()
        writer.writerows(rows)
    return path


def test_a_day_of_another_kind_is_read_whole(day: TradingDay, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """More records than are held, a listing whose name no reader takes, an execution that cannot be told from another."""
    path = _written(tmp_path, execution_rows())
    monkeypatch.setattr(known_trades, "MOST_HELD", 3)
    assert said(path, whole=False)[1] == 0
    monkeypatch.undo()
    met = said(path, whole=False)[1]
    one = Execution.objects.filter(trade_date=DAY).order_by("id")[0]
    Instrument.objects.filter(id=one.order.listing.instrument_id).update(isin="GB0000000000")
    path = _written(tmp_path, execution_rows())
    assert said(path, whole=False)[0] == said(path, whole=True)[0]
    assert said(path, whole=False)[1] < met


def test_books_that_move_while_the_file_is_read_send_the_run_back(day: TradingDay, tmp_path: Path) -> None:
    path = _written(tmp_path, execution_rows()[1:])
    with raw_cursor(binary=True) as cursor:
        known = known_trades.load_known(cursor, path, Kind.EXECUTIONS, as_of=DAY, markets=())
        assert known is not None
        cursor.execute("CREATE TEMP TABLE recon_near (id uuid)")
        with staged(cursor, path, Kind.EXECUTIONS, known=known.lines):
            known_trades.keep_not_met(cursor, known)
            (missing,) = known.lines.not_met
            Execution.objects.filter(exec_id=missing.split(",")[0], trade_date=DAY).update(effective_px="1")
            with pytest.raises(TooManyUnknown):
                known_trades.keep_not_met(cursor, known)
        cursor.execute("DROP TABLE recon_near")


@pytest.mark.parametrize("where", ["in the file", "with us"])
def test_a_run_that_knows_too_little_begins_again_and_reads_all(
    day: TradingDay, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    rows = execution_rows()
    path = _written(tmp_path, [*rows, {**rows[0], "exec_id": "NEW"}] if where == "in the file" else rows[1:])
    asked: list[Known | None] = []
    compare_with = do_run._compare_with

    def noted(*arguments: Any) -> Any:
        asked.append(arguments[-1])
        return compare_with(*arguments)

    monkeypatch.setattr(do_run, "_compare_with", noted)
    monkeypatch.setattr(known_trades, "MOST_JUDGED", 0)
    done = compare(path, kind="executions", source="BROKER")
    assert [known is None for known in asked] == [False, True]
    assert (done.state, done.written, done.external) == ("done", 1, len(rows) + (1 if where == "in the file" else -1))
    assert Break.objects.get().why
