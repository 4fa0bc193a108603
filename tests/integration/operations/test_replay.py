"""Everything rebuilt from events equals the tables; a change of any column without an event is found."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from django.db import connection, models
from psycopg.types.json import Jsonb

from accounts.models import Booking, CashBalance, Holding, Reservation, TradingAccount
from journal.models import Event
from journal.selectors import stream_records
from kernel.errors import NotFound
from operations.models import ExceptionItem
from operations.services.check_replay import check_replay
from operations.services.compare_replay import compare_replay
from operations.services.on_anomaly_raised import handle
from orders.domain.facts import facts_from_json, facts_of_reports
from orders.domain.replayed import NOT_TOLD
from orders.domain.replaying import replay
from orders.models import Execution, Order, OrderRequest
from orders.selectors.history import find_reports
from tests.factories.busy_day import LATER, Day, busy_day
from tests.factories.tampering import planted, without_checks

pytestmark = pytest.mark.django_db
OTHER_VALUE = {
    "UUIDField": "gen_random_uuid()",
    "ForeignKey:uuid": "gen_random_uuid()",
    "ForeignKey:bigint": "coalesce({0}, 0) + 1",
    "IntegerField": "{0} + 1",
    "BigIntegerField": "coalesce({0}, 0) + 1",
    "DecimalField": "coalesce({0}, 0) + 0.5",
    "BooleanField": "NOT {0}",
    "DateTimeField": "coalesce({0}, now()) + interval '1 microsecond'",
    "DateField": "coalesce({0}, current_date) + 1",
    "CharField": "CASE WHEN {0} = '8' THEN '9' ELSE '8' END",
    "FSMField": "CASE WHEN {0} = 'refused' THEN 'accepted' ELSE 'refused' END",
    "TextField": "'somebody else'",
    "JSONField": "'[{{\"x\": 1}}]'::jsonb",
    "BinaryField": "'\\x00'::bytea",
}
"""An expression that gives a column of this type another value than it has."""


@pytest.fixture
def day() -> Day:
    return busy_day()


def other_value(item: models.Field[Any, Any]) -> str:
    kind = type(item).__name__
    if kind == "ForeignKey":
        kind = f"ForeignKey:{item.db_type(connection)}"
    return OTHER_VALUE[kind].format(f'"{item.column}"')


def test_after_a_busy_day_nothing_differs(day: Day) -> None:
    result = compare_replay()
    assert result.differences == []
    assert (result.differing, result.untold, result.accounts) == (0, 0, 2)
    assert result.orders == Order.objects.count() >= 20
    assert result.events == Event.objects.filter(stream__startswith="order:").count()
    states = set(OrderRequest.objects.values_list("state", flat=True))
    assert states == {state.value for state in OrderRequest.State} - {"captured"}
    assert Execution.objects.filter(effective_qty=0).count() == 2
    assert Holding.objects.get(account=day.world.account).short == 30
    suspense = Holding.objects.exclude(account=day.world.account).get()
    assert (suspense.pending, suspense.short) == (Decimal(3 - 40), Decimal(2))
    assert compare_replay(account=suspense.account.code).differences == []
    assert Event.objects.filter(kind="TradingDayTurned").count() == 1
    for name in ("waiting", "filled", "phoned"):
        assert compare_replay(order=str(day.orders[name])).orders == 1
    assert compare_replay(account=day.world.account.code).orders == result.orders
    ref = Order.objects.get(id=day.orders["filled"]).ref
    assert (
        compare_replay(order=ref.lower()).events == Event.objects.filter(stream=f"order:{day.orders['filled']}").count()
    )


@pytest.mark.parametrize(
    ("model", "key"), [(Order, "id"), (OrderRequest, "order_id"), (Execution, "order_id")], ids=lambda one: str(one)
)
def test_each_column_changed_without_an_event_is_found(day: Day, model: type[models.Model], key: str) -> None:
    without_checks(model._meta.db_table)
    order_id = day.orders["filled"]
    row_id = model._default_manager.filter(**{key: order_id}).order_by("pk").values_list("pk", flat=True)[0]
    silent = []
    for item in model._meta.concrete_fields:
        if item.attname in NOT_TOLD[model.__name__] and item.attname != "last_event_hash":
            continue
        change = f'UPDATE {model._meta.db_table} SET "{item.column}" = {other_value(item)} WHERE id = %s'
        with planted(change, row_id):
            found = compare_replay(order=str(order_id)) if item.attname != "id" or key != "id" else compare_replay()
            if f"order:{order_id}" not in {one.subject for one in found.differences}:
                silent.append(item.attname)
            elif item.attname not in ("id", "order_id"):
                assert [one.field.rpartition(".")[2] for one in found.differences] == [item.attname]
    assert silent == []
    assert compare_replay(order=str(order_id)).differences == []


@pytest.mark.parametrize("model", [CashBalance, Holding, Reservation], ids=lambda one: one.__name__)
def test_each_figure_of_an_account_is_found(day: Day, model: type[models.Model]) -> None:
    without_checks(model._meta.db_table)
    code, subject = day.world.account.code, f"account:{day.world.account.id}"
    pk = model._meta.pk.name
    row_id = model._default_manager.order_by("pk").values_list("pk", flat=True)[0]
    skipped = {pk, "account_id", "updated_at"}
    for item in model._meta.concrete_fields:
        if item.attname in skipped:
            continue
        change = f'UPDATE {model._meta.db_table} SET "{item.column}" = {other_value(item)} WHERE {pk} = %s'
        with planted(change, row_id):
            found = compare_replay(account=code)
            assert {one.subject for one in found.differences} == {subject}, item.attname
    assert compare_replay(account=code).differences == []


@pytest.mark.parametrize(
    "table", ["orders_order", "orders_orderrequest", "orders_execution", "accounts_reservation", "accounts_holding"]
)
def test_a_row_that_is_gone_is_found(day: Day, table: str) -> None:
    with connection.cursor() as cursor:
        key = "order_id" if table == "accounts_reservation" else "id"
        cursor.execute(f"SELECT {key} FROM {table} ORDER BY {key} LIMIT 1")
        row_id = cursor.fetchone()[0]
    with planted(f"DELETE FROM {table} WHERE {key} = %s", row_id):
        assert compare_replay().differing > 0


def test_events_that_are_gone_or_impossible_are_differences_not_crashes(day: Day) -> None:
    order_id = day.orders["filled"]
    stream = f"order:{order_id}"
    for seq, field in ((1, "events"), (4, "events")):
        with planted("DELETE FROM journal_event WHERE stream = %s AND seq = %s", stream, seq):
            found = compare_replay(order=str(order_id)).differences
            assert (found[0].subject, found[0].field) == (stream, field)
    with planted(
        "UPDATE journal_event SET payload = payload - 'report' WHERE stream = %s AND seq = "
        "(SELECT min(seq) FROM journal_event WHERE stream = %s AND kind = 'ReportApplied')",
        stream,
        stream,
    ):
        found = compare_replay(order=str(order_id)).differences
        assert "cannot be replayed: KeyError 'report'" in found[0].events_say
    account = f"account:{day.world.account.id}"
    with planted("DELETE FROM journal_event WHERE stream = %s AND kind = 'DepositBooked'", account):
        fields = {one.field for one in compare_replay().differences}
        assert fields == {"cash EUR.settled"}


def test_orders_of_before_the_events_told_all_are_counted_and_left_out(day: Day) -> None:
    stream = f"order:{day.orders['filled']}"
    with planted("UPDATE journal_event SET version = 1 WHERE stream = %s AND seq = 1", stream):
        result = compare_replay()
    assert (result.untold, result.differences) == (1, [])


def test_facts_written_by_an_earlier_build_are_read_for_what_they_say(day: Day) -> None:
    order_id = day.orders["filled"]
    whole = facts_of_reports(
        facts_from_json(Order.objects.get(id=order_id).facts).requests, find_reports([order_id])[order_id]
    )
    rows = [[str(v) if isinstance(v, Decimal) else v for v in row] for row in whole.facts]
    for facts, differing in ((rows, 0), (rows[:-1], 1)):
        old = {
            "v": 1,
            "requests": [[str(v) if isinstance(v, Decimal) else v for v in row] for row in whole.requests],
            "facts": facts,
        }
        without_checks("orders_order")
        with planted("UPDATE orders_order SET facts = %s WHERE id = %s", Jsonb(old), order_id):
            assert compare_replay(order=str(order_id)).differing == differing


def test_what_is_not_there_is_said(day: Day) -> None:
    with pytest.raises(NotFound, match="ORDER_UNKNOWN"):
        compare_replay(order=str(UUID(int=1)))
    with pytest.raises(NotFound, match="ACCOUNT_UNKNOWN"):
        compare_replay(account="NOBODY")


def test_a_replay_to_a_moment_is_the_order_as_it_was(day: Day) -> None:
    events = stream_records(f"order:{day.orders['filled']}")
    seen = []
    for count in range(1, len(events) + 1):
        order = replay(events[:count])
        assert order is not None
        columns = order.columns()
        assert columns["last_event_seq"] == count
        if events[count - 1].kind == "ReportApplied" and count < len(events) and events[count].kind[:9] != "Execution":
            seen.append((columns["ord_status"], str(columns["cum_qty"]), str(order.held.cash)))
    assert seen == [("0", "0", "735.63")]
    whole = replay(events)
    assert whole is not None
    assert (str(whole.cum_qty), str(whole.held.cash)) == ("300", "517.04")


def test_every_column_is_told_or_named_with_a_reason() -> None:
    for model in (Order, OrderRequest, Execution):
        assert NOT_TOLD[model.__name__].keys() <= {item.attname for item in model._meta.concrete_fields}
    assert Booking.objects.count() == TradingAccount.objects.count() == 0


def test_the_nightly_check_raises_one_matter_a_subject_and_clears_it(day: Day) -> None:
    assert check_replay(at=LATER).differences == []
    order_id = day.orders["filled"]
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute("UPDATE orders_order SET avg_px = avg_px + 1, strategy = 'x' WHERE id = %s", [order_id])
    for _ in range(2):
        assert check_replay(at=LATER).differing == 2
    events = stream_records(f"anomaly:replay:order:{order_id}")
    assert [event.kind for event in events] == ["AnomalyRaised", "AnomalyRaised"]
    handle(events)
    item = ExceptionItem.objects.get(kind="REPLAY_DIFFERS")
    assert (item.order_id, item.severity, item.occurrences) == (order_id, "critical", 2)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE orders_order SET avg_px = avg_px - 1, strategy = '' WHERE id = %s", [order_id])
    assert check_replay(at=LATER).differences == []
    handle(stream_records(f"anomaly:replay:order:{order_id}")[2:])
    assert ExceptionItem.objects.get(kind="REPLAY_DIFFERS").state == "cleared"
