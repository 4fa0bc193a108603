"""Whatever goes in by COPY, by arrays or by update comes out the same; widths are checked before anything is sent."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.core.exceptions import FieldDoesNotExist
from django.db import IntegrityError, transaction

from accounts.models import Booking, CashBalance
from journal.bulk import insert_rows, raw_cursor, shape_of, update_rows, write_rows
from journal.models import Cursor, SetAside, StreamHead
from tests.factories.accounts import funded_account
from tests.factories.journal import AT

NAIVE = datetime(2026, 1, 1)  # noqa: DTZ001
pytestmark = pytest.mark.django_db
Insert = Callable[..., Any]
BOTH = pytest.mark.parametrize("insert", [write_rows, insert_rows])

TEXTS = [
    "plain",
    "",
    "NULL",
    "\\N",
    "\\.",
    "tab\there",
    "line\nfeed\r\n",
    'quote " and \\ and \\" and {a,b} and \'',
    "8=FIX.4.4\x0135=8\x01",
    "日本 é \U0001f600 \x7f\u2028",
    " leading and trailing ",
]


@BOTH
def test_any_text_and_any_bytes(insert: Insert) -> None:
    rows = [(text or "empty", i, bytes(range(i * 20 % 256)) + b"\\\n\t\x00\xff") for i, text in enumerate(TEXTS)]
    insert(StreamHead, rows, fields=("stream", "seq", "hash"))
    found = {head.stream: (head.seq, bytes(head.hash)) for head in StreamHead.objects.all()}
    assert found == {text: (seq, raw) for text, seq, raw in rows}


@BOTH
def test_any_json(insert: Insert) -> None:
    payloads: list[Any] = [{"t": text, "n": [1, None, True, {"x": text}]} for text in TEXTS] + [[], "text", 5, None, {}]
    rows = [(uuid4(), "s", str(i), TEXTS[i % len(TEXTS)], value, AT) for i, value in enumerate(payloads)]
    insert(SetAside, rows, fields=("id", "source", "position", "reason", "payload", "recorded_at"))
    found = {row.id: (row.reason, row.payload, row.recorded_at) for row in SetAside.objects.all()}
    assert found == {key: (reason, payload, at) for key, _, _, reason, payload, at in rows}


def test_json_bytes_are_taken_as_they_are_and_decimals_become_text() -> None:
    write_rows(
        SetAside,
        [(uuid4(), "s", "1", "", b'{"a":"\\u00e9\\n"}', AT), (uuid4(), "s", "2", "", {"px": Decimal("1.50")}, AT)],
        fields=("id", "source", "position", "reason", "payload", "recorded_at"),
    )
    assert list(SetAside.objects.order_by("position").values_list("payload", flat=True)) == [
        {"a": "é\n"},
        {"px": "1.5"},
    ]


@BOTH
def test_numbers_dates_and_nothing(insert: Insert) -> None:
    tokyo = timezone(timedelta(hours=9))
    amounts: list[Any] = [Decimal("1E+3"), Decimal("-0.00000001"), Decimal("9999999999999999.12345678"), 7]
    at = datetime(2026, 11, 20, 18, 30, 0, 5, tzinfo=tokyo)
    fields = (
        "account_id",
        "event_id",
        "order_id",
        "kind",
        "layer",
        "currency",
        "amount",
        "trade_date",
        "settlement_date",
        "recorded_at",
    )
    rows = [
        (
            UUID(int=1),
            UUID(int=2),
            None,
            Booking.Kind.TRADE,
            "pending",
            "GBP",
            amount,
            date(2026, 1, 2),
            date(1999, 12, 31),
            at,
        )
        for amount in amounts
    ]
    insert(Booking, rows, fields=fields)
    found = list(Booking.objects.order_by("id"))
    assert sorted(row.amount for row in found) == sorted(amounts)
    first = found[0]
    assert (first.order_id, first.kind, first.settlement_date) == (None, "trade", date(1999, 12, 31))
    assert first.recorded_at == datetime(2026, 11, 20, 9, 30, 0, 5, tzinfo=UTC)


def test_update_changes_what_the_keys_name_and_nothing_else() -> None:
    write_rows(StreamHead, [(f"s{i}", i, b"old") for i in range(5)], fields=("stream", "seq", "hash"))
    changed = update_rows(
        StreamHead, [("s1", 11, b"\x00"), ("s3", 13, b""), ("absent", 1, b"")], key=("stream",), fields=("seq", "hash")
    )
    assert changed == 2
    found = {head.stream: (head.seq, bytes(head.hash)) for head in StreamHead.objects.all()}
    assert found == {
        "s0": (0, b"old"),
        "s1": (11, b"\x00"),
        "s2": (2, b"old"),
        "s3": (13, b""),
        "s4": (4, b"old"),
    }
    account = funded_account()
    assert (
        update_rows(
            CashBalance, [(account.id, "GBP", None)], key=("account_id", "currency"), fields=("overdrawn_by_event",)
        )
        == 1
    )


def test_conflicts_and_returned_columns() -> None:
    insert_rows(StreamHead, [("a", 1, b"")], fields=("stream", "seq", "hash"))
    made = insert_rows(
        StreamHead,
        [("a", 9, b""), ("b", 2, b"")],
        fields=("stream", "seq", "hash"),
        on_conflict="DO NOTHING",
        returning=("stream", "seq"),
    )
    assert made == [("b", 2)]
    with pytest.raises(IntegrityError), transaction.atomic():
        write_rows(StreamHead, [("c", 1, b""), ("a", 1, b"")], fields=("stream", "seq", "hash"))
    assert StreamHead.objects.count() == 2


def test_a_row_of_the_wrong_width_is_refused_before_it_is_sent() -> None:
    for write in (write_rows, insert_rows):
        with pytest.raises(ValueError, match="has 2 values, 3 are expected"):
            write(StreamHead, [("a", 1, b""), ("b", 2)], fields=("stream", "seq", "hash"))
    with pytest.raises(ValueError, match="without zone"):
        write_rows(Cursor, [("c", 1, NAIVE)], fields=("name", "position", "updated_at"))
    assert not StreamHead.objects.exists()


def test_no_rows_ask_nothing(django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(0):
        assert write_rows(StreamHead, []) == 0
        assert insert_rows(StreamHead, []) == []
        assert update_rows(StreamHead, [], key=("stream",), fields=("seq",)) == 0


def test_columns_come_from_the_model() -> None:
    shape = shape_of(CashBalance)
    assert shape.fields[0] == "account_id"
    assert shape.types == ("uuid", "varchar", "numeric", "numeric", "numeric", "uuid")
    with pytest.raises(FieldDoesNotExist):
        shape_of(CashBalance, ("account_id", "nothing"))
    with pytest.raises(IntegrityError), transaction.atomic(), raw_cursor() as cursor:
        cursor.execute("INSERT INTO journal_streamhead (stream, seq, hash) VALUES ('x', NULL, '')")
