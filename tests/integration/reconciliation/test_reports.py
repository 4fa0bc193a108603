"""Named reports over planted days: every word appears for what it is about, nothing else does, and rows are seen by who may."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import transaction

from authorisation.domain.principal import Principal, process_principal
from kernel.errors import Invalid, NotFound
from kernel.fix import ExecType, OrdStatus, TimeInForce
from kernel.ids import new_id
from orders.models import Execution, Order, OrderRequest, Upload, UploadRow
from orders.services.mark_unknown import mark_unknown
from orders.services.record_hand_over import record_hand_over
from reconciliation.domain.records import Kind
from reconciliation.models import Run
from reconciliation.reports import REPORTS, get_report
from reconciliation.selectors.counterpart_books import books_of_day
from reconciliation.selectors.reports import ReportPage, read_report, scope_of
from reconciliation.services.run_reconciliation import run_reconciliation
from tests.factories import AT, make_desk, make_market, make_principal
from tests.factories.busy_day import Day, busy_day, told_desk
from tests.factories.compared import make_breaks, make_file, make_run
from tests.factories.statements import execution_rows, kept_csv
from tests.factories.venues import make_session
from venues.models import FixSession, Inquiry, Recovery, RecoveryDifference, WireIntent, WireMessage
from venues.services.record_session_event import record_session_event

pytestmark = pytest.mark.django_db
DAY = AT.date()
EVERYBODY = process_principal("test")
COMPARED_AT = AT + timedelta(hours=9)


def read(name: str, *, actor: Principal = EVERYBODY, at: Any = COMPARED_AT, word: str = "", **asked: Any) -> ReportPage:
    report = get_report(name)
    return read_report(actor=actor, report=report, scope=scope_of(report, at=at, **asked), word=word)


def told(page: ReportPage, *names: str) -> list[tuple[Any, ...]]:
    """The words of the rows with some of their columns, in order of the words."""
    at = [[column.name for column in page.report.columns].index(name) for name in ("word", *names)]
    return sorted(tuple(row[place] for place in at) for row in page.rows)


def compared(kind: str, rows: list[dict[str, Any]], *, as_of: date = DAY, **more: Any) -> Run:
    file = kept_csv(kind, rows, **more)
    result = run_reconciliation(kind=kind, file=file, as_of=as_of, actor=EVERYBODY, at=COMPARED_AT, trigger="by_hand")
    return Run.objects.get(id=result.run_id)


@pytest.fixture(scope="module")
def busy(django_db_setup: None, django_db_blocker: Any) -> Iterator[Day]:
    """One day for all tests of this file: each takes back what it did."""
    with django_db_blocker.unblock(), transaction.atomic():
        yield busy_day()
        transaction.set_rollback(True)


def stranger(name: str = "far") -> Principal:
    """Sees another desk and nothing of this one."""
    other = make_desk("FAR")
    return make_principal(name, role=name, rights=("enter_order",), desks=(other.desk,), groups=(other.group,))


# -- accepted orders ---------------------------------------------------------------------------------------------------


@pytest.fixture
def standing() -> Day:
    """Each way to stand still once, and beside them orders that work, wait to be sent, or are over."""
    day = Day(told_desk())
    make_session(name="SIM1-A", group="SIM1")
    FixSession.objects.update(state="logged_on")
    _waits_to_be_sent(day, day.capture("queued"))
    day.capture("lost here")
    for name in ("works", "good till cancel", "no cancel", "over"):
        force = TimeInForce.GTC if name == "good till cancel" else TimeInForce.DAY
        day.says(day.report(day.send(name, time_in_force=force), ExecType.NEW, OrdStatus.NEW))
    silent = day.send("silent")
    mark_unknown(request_ids=[silent.request_id], at=AT, sentence="No answer.")
    refused = day.cancel("no cancel")
    record_hand_over(request_ids=[refused.request_id], at=AT)
    asked = {"cl_ord_id": refused.cl_ord_id, "orig_cl_ord_id": _request(day, "no cancel").cl_ord_id}
    first = _sent(day, "no cancel")
    day.says(
        day.report(first, None, OrdStatus.NEW, msg_type="9", reject_code="0", text="too late", exec_id="", **asked)
    )
    day.says(day.report(_sent(day, "over"), ExecType.CANCELED, OrdStatus.CANCELED))
    return day


def _sent(day: Day, name: str) -> Any:
    """What a report needs of an order that was sent before."""
    return Order.objects.get(id=day.orders[name])


def _request(day: Day, name: str) -> OrderRequest:
    return OrderRequest.objects.get(order=day.orders[name], seq=1)


def _waits_to_be_sent(day: Day, order: Any) -> None:
    WireIntent.objects.create(
        session_group="SIM1", kind="new", order_id=order.order_id, request_id=order.request_id,
        account_id=day.world.account.id, cl_ord_id=order.cl_ord_id, payload={}, adds_risk=True, not_after=AT,
        correlation_id=new_id(), created_at=AT,
    )  # fmt: skip


def named(day: Day, page: ReportPage) -> dict[str, str]:
    names = {Order.objects.get(id=pk).ref: name for name, pk in day.orders.items()}
    return {names[order]: word for word, order in told(page, "order")}


def test_orders_that_stand_still_are_told_by_why_and_no_others(standing: Day) -> None:
    today = read("accepted-orders", at=AT + timedelta(minutes=5))
    expected = {"lost here": "not_sent", "silent": "fate_unknown", "no cancel": "cancel_failed"}
    assert named(standing, today) == expected
    assert today.counts == Counter(expected.values())
    FixSession.objects.update(state="down")
    down = named(standing, read("accepted-orders", at=AT + timedelta(minutes=5)))
    assert down == expected | {"works": "session_down", "good till cancel": "session_down"}
    FixSession.objects.update(state="logged_on")
    tomorrow = named(standing, read("accepted-orders", at=AT + timedelta(days=1)))
    assert tomorrow == expected | {"works": "time_is_over", "no cancel": "time_is_over"}


def test_orders_are_narrowed_by_upload_by_outage_and_by_sight(standing: Day) -> None:
    at = AT + timedelta(minutes=5)
    upload = Upload.objects.create(
        id=new_id(), owner_id=standing.world.dealer.user_id, file_name="a.csv", sha256="0" * 64, rows_total=1,
        created_at=AT, updated_at=AT,
    )  # fmt: skip
    UploadRow.objects.create(upload=upload, number=1, raw={}, order_id=standing.orders["silent"])
    assert named(standing, read("accepted-orders", at=at, batch=str(upload.id))) == {"silent": "fate_unknown"}
    _session_told("SessionLoggedOn", "SessionLost")
    found = named(standing, read("accepted-orders", at=at, outage="SIM1-A:2", day=AT.date()))
    assert found == {"silent": "fate_unknown", "no cancel": "cancel_failed"}  # what was never routed is on no session
    assert read("accepted-orders", at=at, actor=standing.world.dealer).total == 3
    assert read("accepted-orders", at=at, actor=stranger()).total == 0


# -- fills -------------------------------------------------------------------------------------------------------------


def test_fills_are_beside_their_confirmations_and_what_is_none_is_told(busy: Day) -> None:
    order = busy.send("afterwards", order_qty=Decimal(10))
    rows = execution_rows()
    ours = {one.exec_id for one in Execution.objects.all()}
    told_of = [row for row in rows if row["exec_id"] in ours and row["last_qty"] != "0"]
    quantity, price, missing, late = (row["exec_id"] for row in told_of[:4])
    cut = AT + timedelta(hours=8)
    Execution.objects.filter(exec_id=late).update(event_at=cut + timedelta(minutes=1))
    for row in rows:
        if row["exec_id"] == quantity:
            row["last_qty"] = "1"
        if row["exec_id"] == price:
            row["last_px"] = "99"
    rows = [row for row in rows if row["exec_id"] not in (missing, late)]
    rows.append({**rows[0], "exec_id": "NEW1", "last_qty": "7"})
    run = compared("executions", rows, cut=cut)
    busy.says(busy.trade(order, 3, "72.50"))
    Execution.objects.filter(order_id=order.order_id).update(recorded_at=COMPARED_AT + timedelta(minutes=1))
    new = Execution.objects.get(order_id=order.order_id)
    page = read("fills")
    odd = [one for one in told(page, "exec_id") if one[0] != "equal"]
    assert odd == sorted(
        [
            ("after_cut", late), ("changed_since", new.exec_id), ("missing_external", missing),
            ("missing_internal", "NEW1"), ("price", price), ("quantity", quantity),
        ]
    )  # fmt: skip
    assert page.counts["equal"] == len(ours) - 4
    assert page.rows == read("fills", batch=str(run.file_id)).rows
    assert page.rows == read("fills", batch=str(run.id)).rows
    (wrong,) = [
        dict(zip([c.name for c in page.report.columns], row, strict=True)) for row in page.rows if row[0] == "price"
    ]
    assert (wrong["their_px"], wrong["run"], wrong["file"]) == (99, str(run.id), "executions.csv")
    assert wrong["break"].startswith("BRK-")
    other = read("fills", day=AT.date() + timedelta(days=1))
    assert other.total == 0
    assert {one[0] for one in told(read("fills", actor=stranger()))} == set()


def test_a_fill_that_nobody_compared_is_said_to_be_so_and_a_market_speaks_for_itself_alone(busy: Day) -> None:
    fills = Execution.objects.filter(trade_date=AT.date()).count()
    assert read("fills").counts == {"not_compared": fills}
    make_market("XNYS", "USD")
    make_run("executions", source="XNYS", file=make_file(source="XNYS"))
    assert read("fills").counts == {"not_compared": fills}
    assert read("fills", word="equal").rows == ()


# -- positions and sums ------------------------------------------------------------------------------------------------


def held(busy: Day, kind: Kind = Kind.POSITIONS, number: int = 0) -> list[dict[str, Any]]:
    books = books_of_day(day=AT.date(), kinds=[kind], at=COMPARED_AT)
    return [dict(record.values) for record in books[number].records]


def test_positions_from_fills_are_beside_what_is_reported(busy: Day) -> None:
    rows = held(busy, number=1)  # traded, as a broker tells them
    assert all(row["basis"] == "traded" for row in rows)
    assert len(rows) > 1
    compared("positions", rows)
    assert read("positions").counts == {"equal": len(rows)}
    wrong = [{**rows[0], "qty": "1"}, *rows[2:], {**rows[0], "isin": "US0378331005", "qty": "5"}]
    compared("positions", wrong)
    page = read("positions")
    assert {word: count for word, count in page.counts.items() if word != "equal"} == {
        "differs": 1, "missing_external": 1, "missing_internal": 1,
    }  # fmt: skip
    (differs,) = [
        dict(zip([c.name for c in page.report.columns], row, strict=True)) for row in page.rows if row[0] == "differs"
    ]
    assert (differs["account"], differs["reported"], differs["difference"]) == (
        rows[0]["account"], 1, 1 - differs["from_fills"],
    )  # fmt: skip
    assert read("positions", actor=stranger()).total == 0


def test_what_is_booked_as_settled_and_not_by_fills_is_told(busy: Day) -> None:
    compared("positions", held(busy))  # settled: nothing of the day has settled on it
    assert set(read("positions").counts) == {"equal"}
    later = AT.date() + timedelta(days=10)  # by then all fills were due and none is settled
    compared("positions", [{**row, "as_of": later} for row in held(busy)], as_of=later)
    page = read("positions", day=later)
    assert page.counts == {"fills_differ": 2}  # the client's account, and suspense


def test_counts_and_sums_of_both_sides_are_told_by_source(busy: Day) -> None:
    rows = [row for row in execution_rows() if row["last_qty"] != "0"]
    rows[0]["last_qty"] = str(int(rows[0]["last_qty"]) + 5)
    run = compared("executions", rows)
    kept_csv("cash", [], statement_date=AT.date(), source="BANK")
    page = read("expected")
    mine = {
        (word, measure): (ours, theirs, apart)
        for word, measure, ours, theirs, apart in told(page, "measure", "expected", "actual", "difference")
    }
    ours = sum(one.effective_qty for one in Execution.objects.filter(trade_date=AT.date())) + 40  # and a stranger's
    assert mine["differs", "qty"] == (ours, ours + 5, 5)
    records = next(value for (_, measure), value in mine.items() if measure == "records" and value[0] is not None)
    assert records == (run.internal, run.external, run.external - run.internal)
    assert ("not_compared", "cash", "BANK") in told(page, "kind", "source")
    make_desk("FAR")
    assert read("expected", actor=busy.world.dealer).total == 0  # the firm's figures are not a dealer's


# -- outages -----------------------------------------------------------------------------------------------------------


def _session_told(*kinds: str, session: str = "SIM1-A", numbers: dict[str, Any] | None = None) -> None:
    for number, kind in enumerate(kinds):
        at = AT + timedelta(minutes=number)
        record_session_event(session=session, kind=kind, at=at, detail=(numbers or {}).get(kind))


def wire(number: int, msg_type: str = "8", *, at: Any, raw: str = "", dup: bool = False) -> None:
    WireMessage.objects.create(
        direction="in",
        session="SIM1-A",
        epoch="e1",
        msg_seq_num=number,
        msg_type=msg_type,
        poss_dup=dup,
        raw=raw,
        recorded_at=at,
    )


def test_an_outage_is_told_with_what_it_cost_and_what_came_after_all(busy: Day) -> None:
    make_session(name="SIM1-A", group="SIM1")
    lost, back = AT + timedelta(minutes=1), AT + timedelta(minutes=2)
    numbers = {"SessionLost": {"epoch": "e1", "next_in": 10}, "SessionLoggedOn": {"epoch": "e1", "next_in": 21}}
    _session_told("SessionLoggedOn", "SessionLost", "SessionLoggedOn", numbers=numbers)
    wire(9, at=AT)
    wire(20, "A", at=back)
    for number in (10, 11, 15):  # 12 to 14 never came; 16 to 18 were nothing; 19 never came
        wire(number, at=back + timedelta(seconds=1), dup=True)
    wire(16, "4", at=back + timedelta(seconds=1), raw="8=FIX.4.4\x0135=4\x0134=16\x0136=19\x0110=1\x01")
    wire(21, at=back + timedelta(seconds=2))
    order = busy.send("in the dark", order_qty=Decimal(10))
    busy.says(
        busy.trade(order, 3, "72.50", event_at=lost + timedelta(seconds=5), received_at=back + timedelta(seconds=1))
    )
    Inquiry.objects.create(
        request_id=order.request_id, order_id=order.order_id, session_group="SIM1", session="SIM1-A", kind="new",
        cl_ord_id=order.cl_ord_id, reason="The session was lost.", opened_at=lost, next_at=lost, outcome="accepted",
    )  # fmt: skip
    recovery = Recovery.objects.create(
        id=new_id(), session="SIM1-A", session_group="SIM1", epoch="e1", fence=1, state="different", mass=True, orders=4,
        differences=2, started_at=back,
    )  # fmt: skip
    for order_id, name in ((order.order_id, "V-1"), (None, "V-2")):
        RecoveryDifference.objects.create(
            recovery=recovery, session="SIM1-A", kind="EXECUTION_MISSING", order_id=order_id, venue_order_id=name,
            next_at=back, found_at=back,
        )  # fmt: skip
    page = read("outages")
    rows = told(page, "outage", "first", "last", "count", "name")
    assert rows == [
        ("difference", "SIM1-A:2", None, None, 0, "V-1"), ("difference", "SIM1-A:2", None, None, 0, "V-2"),
        ("late_fill", "SIM1-A:2", None, None, None, f"X{busy.seq}"), ("missing", "SIM1-A:2", 12, 14, 3, ""),
        ("missing", "SIM1-A:2", 19, 19, 1, ""), ("outage", "SIM1-A:2", None, None, None, ""),
        ("recovered", "SIM1-A:2", 10, 18, 4, ""), ("unknown", "SIM1-A:2", None, None, 0, order.cl_ord_id),
    ]  # fmt: skip
    assert "4 open orders were compared, 2 differed" in page.rows[0][10]
    assert read("outages", outage="SIM1-A:2").rows == page.rows
    assert read("outages", day=AT.date() - timedelta(days=1)).total == 0
    assert read("fills", outage="SIM1-A:2").total == 1
    seen = told(read("outages", actor=stranger()))
    assert Counter(seen) == {("missing",): 2, ("outage",): 1, ("recovered",): 1}


def test_numbers_that_began_anew_or_were_not_kept_are_said_to_be_so(busy: Day) -> None:
    make_session(name="SIM1-A", group="SIM1")
    make_session(name="SIM2-A", group="SIM2", venue="TV2", begin_string="FIX.4.2")
    anew = {"SessionTakenOver": {"epoch": "e1", "next_in": 10}, "SessionLoggedOn": {"epoch": "e2", "next_in": 2}}
    _session_told("SessionTakenOver", "SessionLoggedOn", "SessionTakenOver", "SessionLoggedOn", numbers=anew)
    _session_told("SessionLoggedOn", "SessionLost", "SessionLoggedOn", "SessionLost", session="SIM2-A")
    rows = told(read("outages"), "outage")
    assert rows == [
        ("outage", "SIM1-A:3"), ("outage", "SIM2-A:2"), ("outage", "SIM2-A:4"), ("renumbered", "SIM1-A:3"),
        ("uncounted", "SIM2-A:2"),
    ]  # fmt: skip
    assert "It is not back." in str(read("outages", outage="SIM2-A:4").rows)


# -- what is asked for -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "asked", "error", "code"),
    [
        ("outages", {"batch": str(new_id())}, Invalid, "REPORT_SCOPE"),
        ("expected", {"outage": "SIM1:1"}, Invalid, "REPORT_SCOPE"),
        ("fills", {"batch": str(new_id())}, NotFound, "BATCH_UNKNOWN"),
        ("fills", {"batch": "nonsense"}, NotFound, "BATCH_UNKNOWN"),
        ("fills", {"outage": "SIM1"}, NotFound, "OUTAGE_UNKNOWN"),
        ("fills", {"word": "nonsense"}, Invalid, "WORD_UNKNOWN"),
        ("nonsense", {}, NotFound, "REPORT_UNKNOWN"),
    ],
)
def test_what_cannot_be_asked_is_refused_with_why(name: str, asked: dict[str, Any], error: Any, code: str) -> None:
    with pytest.raises(error) as refused:
        read(name, **asked)
    assert refused.value.code == code


def test_pages_follow_each_other_and_count_everything(busy: Day) -> None:
    run = make_run("executions", source="BROKER", file=make_file(source="BROKER"))
    make_breaks(run, 5)
    report = REPORTS["fills"]
    scope = scope_of(report, at=COMPARED_AT, batch=str(run.id))
    first = read_report(actor=EVERYBODY, report=report, scope=scope, word="missing_internal", limit=3)
    second = read_report(actor=EVERYBODY, report=report, scope=scope, word="missing_internal", limit=3, offset=3)
    assert (len(first.rows), first.more, len(second.rows), second.more) == (3, True, 2, False)
    assert first.counts == second.counts
    assert first.counts["missing_internal"] == 5
    assert {row[-1] for row in first.rows}.isdisjoint({row[-1] for row in second.rows})
