"""Executions of a file against a busy day of ours: what is planted is found, nothing else is, a second run writes nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import transaction

from authorisation.domain.principal import process_principal
from journal.models import Event
from journal.selectors.anomalies import is_raised
from orders.models import Execution
from reconciliation.models import Break, Run, RunBreak
from reconciliation.services.run_reconciliation import run_reconciliation
from tests.factories import AT
from tests.factories.busy_day import Day, busy_day
from tests.factories.statements import execution_rows, kept_csv

pytestmark = pytest.mark.django_db

Rows = list[dict[str, Any]]


@pytest.fixture(scope="module")
def day(django_db_setup: None, django_db_blocker: Any) -> Iterator[Day]:
    """One day for all tests of the file: each takes back what it did."""
    with django_db_blocker.unblock(), transaction.atomic():
        yield busy_day()
        transaction.set_rollback(True)


def run(rows: Rows, **more: Any) -> Run:
    result = run_reconciliation(
        kind="executions", file=kept_csv("executions", rows, **more), as_of=AT.date(), actor=process_principal("test"),
        at=AT + timedelta(hours=9), trigger="by_hand",
    )  # fmt: skip
    return Run.objects.get(id=result.run_id)


def found(run: Run) -> list[tuple[str, str]]:
    seen = RunBreak.objects.filter(run=run).exclude(word="closed").select_related("item")
    return sorted((one.item.category, one.item.ids.get("exec_id", "")) for one in seen)


def row_of(rows: Rows, exec_id: str) -> dict[str, Any]:
    return next(row for row in rows if row["exec_id"] == exec_id)


def bust_of(row: dict[str, Any]) -> dict[str, Any]:
    return {**row, "exec_id": f"{row['exec_id']}-B", "exec_ref_id": row["exec_id"], "exec_type": "bust"}


def later(row: dict[str, Any], seconds: float) -> str:
    return (datetime.fromisoformat(row["transact_time"]) + timedelta(seconds=seconds)).isoformat()


Plant = Callable[[Rows], list[tuple[str, str]]]


def _missing_internal(rows: Rows) -> list[tuple[str, str]]:
    rows.append({**rows[0], "exec_id": "NEW1", "last_qty": "7"})
    return [("missing_internal", "NEW1")]


def _of_nobody(rows: Rows) -> list[tuple[str, str]]:
    rows.append({**rows[0], "exec_id": "NEW2", "cl_ord_id": "Z1", "venue_order_id": "VZ1"})
    return [("missing_internal", "NEW2")]


def _missing_external(rows: Rows) -> list[tuple[str, str]]:
    return [("missing_external", rows.pop(0)["exec_id"])]


def _changed(category: str, **values: Any) -> Plant:
    def plant(rows: Rows) -> list[tuple[str, str]]:
        rows[0].update(values)
        return [(category, rows[0]["exec_id"])]

    return plant


def _twice(rows: Rows) -> list[tuple[str, str]]:
    rows.append(dict(rows[0]))
    return [("duplicate_suspect", rows[0]["exec_id"])]


def _thrice(rows: Rows) -> list[tuple[str, str]]:
    rows += [dict(rows[0]), dict(rows[0])]
    return [("duplicate_suspect", rows[0]["exec_id"])] * 2


def _repeated_with_other_figures(rows: Rows) -> list[tuple[str, str]]:
    rows.append({**rows[0], "last_qty": "3"})
    return [("missing_internal", rows[0]["exec_id"])]


def _repeated_on_another_order(rows: Rows) -> list[tuple[str, str]]:
    other = next(row for row in rows if row["cl_ord_id"] not in ("", rows[0]["cl_ord_id"]))
    rows.append({**other, "exec_id": rows[0]["exec_id"], "last_qty": "11"})
    return [("missing_internal", rows[0]["exec_id"])]


def _other_name(rows: Rows) -> list[tuple[str, str]]:
    name, rows[0]["exec_id"] = rows[0]["exec_id"], "ALIKE"
    return [("missing_external", name), ("missing_internal", "ALIKE")]


def _bust(rows: Rows) -> list[tuple[str, str]]:
    rows.insert(0, bust_of(rows[0]))
    return [("quantity", rows[1]["exec_id"])]


def _correction(rows: Rows) -> list[tuple[str, str]]:
    changed = {**bust_of(rows[0]), "exec_type": "correction", "last_px": "70.10"}
    rows.append(changed)
    return [("price", rows[0]["exec_id"])]


def _bust_of_nothing(rows: Rows) -> list[tuple[str, str]]:
    rows.append({**bust_of(rows[0]), "exec_ref_id": "GHOST"})
    return [("missing_internal", "GHOST")]


def _busted_there_and_never_here(rows: Rows) -> list[tuple[str, str]]:
    new = {**rows[0], "exec_id": "GONE"}
    rows += [new, bust_of(new)]
    return [("missing_internal", "GONE")]


def _unbusted(rows: Rows) -> list[tuple[str, str]]:
    busted = next(row for row in rows if row["last_qty"] == "0")
    busted["last_qty"] = "5"
    return [("quantity", busted["exec_id"])]


def _several(rows: Rows) -> list[tuple[str, str]]:
    plain = Execution.objects.filter(exec_ref_id="", effective_qty__gt=1).order_by("id")[0]
    row_of(rows, plain.exec_id).update(last_px="70.01", last_qty="1", settlement_date="2026-12-24")
    return [(category, plain.exec_id) for category in ("price", "quantity", "timing")]


def _correction_they_have_not(rows: Rows) -> list[tuple[str, str]]:
    """Another quantity and another price, and one matter: the correction that only we have."""
    corrected = Execution.objects.exclude(exec_ref_id="").filter(effective_qty__gt=0)[0]
    row = row_of(rows, corrected.exec_id)
    row.update(last_px=f"{corrected.last_px:f}", last_qty=f"{corrected.last_qty:f}")
    return [("quantity", corrected.exec_id)]


def _hour_late(rows: Rows) -> list[tuple[str, str]]:
    rows[0]["transact_time"] = later(rows[0], 3600)
    return [("timing", rows[0]["exec_id"])]


PLANTS: dict[str, Plant] = {
    "an execution that is not ours": _missing_internal,
    "on an order that is not ours": _of_nobody,
    "ours is left out": _missing_external,
    "quantity": _changed("quantity", last_qty="399"),
    "side": _changed("quantity", side="2"),
    "account": _changed("quantity", account="ELSE"),
    "instrument": _changed("quantity", isin="US5949181045"),
    "price": _changed("price", last_px="72.41000001"),
    "pounds for pence": _changed("price", last_px="0.7241"),
    "currency": _changed("price", currency="USD"),
    "commission": _changed("fee", commission="1234.5"),
    "trade date": _changed("timing", trade_date=(AT + timedelta(days=1)).date()),
    "settlement date": _changed("timing", settlement_date="2026-12-24"),
    "an hour late": _hour_late,
    "twice": _twice,
    "three times": _thrice,
    "repeated with other figures": _repeated_with_other_figures,
    "repeated on another order": _repeated_on_another_order,
    "same economics, other name": _other_name,
    "bust we have not": _bust,
    "correction we have not": _correction,
    "bust of what nobody has": _bust_of_nothing,
    "trade and bust we have not": _busted_there_and_never_here,
    "our bust they have not": _unbusted,
    "three differences": _several,
    "our correction they have not": _correction_they_have_not,
}


@pytest.mark.parametrize("name", PLANTS)
def test_what_is_planted_is_found_and_nothing_else(day: Day, name: str) -> None:
    rows = execution_rows()
    expected = PLANTS[name](rows)
    done = run(rows)
    why = list(Break.objects.values_list("category", "why"))
    assert found(done) == sorted(expected), why
    assert (done.state, done.written, done.standing, done.closed) == ("done", len(expected), 0, 0)
    assert all((item.why and item.suggestion and item.theirs) or item.ours for item in Break.objects.all())
    again = run(rows)
    assert found(again) == sorted(expected)
    assert (again.written, again.standing, Break.objects.count()) == (0, len(expected), len(expected))
    right = run(execution_rows())
    assert (right.closed, right.written, right.standing) == (len(expected), 0, 0)
    assert set(Break.objects.values_list("state", "closed_as")) == {("closed", "agreed")}
    assert not any(is_raised(f"break:{key}") for key in Break.objects.values_list("key", flat=True))


def test_what_agrees_has_no_break_whatever_the_file_leaves_out(day: Day) -> None:
    rows = execution_rows()
    assert len(rows) > 8
    done = run(rows)
    assert found(done) == []
    assert (done.state, done.internal, done.external, done.matched) == ("done", len(rows), len(rows), len(rows))
    for left_out in ("cl_ord_id", "venue_order_id", "isin", "transact_time", "trade_date", "currency", "side"):
        fewer = [{name: value for name, value in row.items() if name != left_out} for row in rows]
        assert found(run(fewer)) == [], left_out
    bare = [{name: row[name] for name in ("exec_id", "last_qty", "last_px")} for row in rows]
    assert found(run(bare)) == [], "by ExecID alone, where none repeats"


def test_a_trade_and_its_bust_in_the_file_agree_with_a_busted_trade(day: Day) -> None:
    rows = execution_rows()
    busted = next(row for row in rows if row["last_qty"] == "0")
    original = Execution.objects.get(exec_id=busted["exec_id"])
    busted["last_qty"] = f"{original.last_qty:f}"
    rows.append(bust_of(busted))
    assert found(run(rows)) == []


def test_one_line_at_the_average_price_agrees_with_all_fills_of_the_order(day: Day) -> None:
    rows = execution_rows()
    order = next(
        r["cl_ord_id"] for r in rows if sum(o["cl_ord_id"] == r["cl_ord_id"] for o in rows) > 1 and r["last_qty"] != "0"
    )
    fills = list(Execution.objects.filter(cl_ord_id=order).exclude(effective_qty=0))
    total = sum(one.effective_qty for one in fills)
    average = sum(one.effective_qty * one.effective_px for one in fills) / total
    first = row_of(rows, fills[0].exec_id)
    line = {**first, "exec_id": "AVG1", "last_qty": f"{total:f}", "last_px": f"{average:.4f}"}
    done = run([*(row for row in rows if row["cl_ord_id"] != order), line])
    if len(fills) > 1:
        assert found(done) == []
    off = run([*(row for row in rows if row["cl_ord_id"] != order), {**line, "last_qty": f"{total + 1:f}"}])
    assert [category for category, _ in found(off)] == ["missing_external"] * len(fills) + ["missing_internal"]


def test_what_happened_after_the_cut_is_not_missed(day: Day) -> None:
    rows = execution_rows()
    last = max((row for row in rows if row["cl_ord_id"]), key=lambda row: row["transact_time"])
    cut = datetime.fromisoformat(last["transact_time"]) - timedelta(milliseconds=1)
    early = [row for row in rows if datetime.fromisoformat(row["transact_time"]) <= cut]
    assert len(early) < len(rows)
    assert found(run(early, cut_at=cut)) == []
    assert found(run(rows, cut_at=cut)) == [], "and what is there all the same agrees"


def test_a_suspect_file_is_told_once_and_closes_nothing(day: Day, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = execution_rows()
    missing = run(rows[1:])
    assert is_raised("break:" + Break.objects.get().key)
    monkeypatch.setattr("reconciliation.domain.rules.SUSPECT_AT_LEAST", 3)
    doubted = run(rows[:4] + rows[-1:])
    assert doubted.state == "suspect"
    assert doubted.closed == 0
    raised = Event.objects.filter(kind="AnomalyRaised", payload__kind="RUN_SUSPECT")
    assert raised.count() == 1
    assert Event.objects.filter(kind="AnomalyRaised", payload__kind="RECONCILIATION_BREAK").count() == 1
    assert run(rows[1:]).written == 0
    assert not is_raised("run-suspect:executions:BROKER")
    assert missing.state == "done"


def test_what_a_line_that_cannot_be_read_may_have_said_is_not_called_absent_without_saying_so(day: Day) -> None:
    rows = execution_rows()
    row_of(rows, rows[0]["exec_id"])["isin"] = "GB0000000000"
    (missing,) = Break.objects.filter(first_run=run(rows), category="missing_external")
    assert missing.ids["exec_id"] == rows[0]["exec_id"]
    assert missing.why.endswith("the file does not have it. 1 of its figures could not be read; it may be among those.")


def test_a_run_of_another_source_closes_nothing(day: Day) -> None:
    rows = execution_rows()
    rows[0]["last_qty"] = "1"
    first = run(rows, source="file-broker-a")
    assert found(first) == [("quantity", rows[0]["exec_id"])]
    other = run(execution_rows(), source="file-broker-b")
    assert (other.written, other.closed, Break.objects.get(first_run=first).state) == (0, 0, "open")
    assert run(execution_rows(), source="file-broker-a").closed == 1
