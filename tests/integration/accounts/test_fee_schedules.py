"""Versions of fee schedules are added and never changed; every reader sees a new one at once."""

from __future__ import annotations

import csv
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from accounts.domain.fee_book import FeeScope
from accounts.models import FeeSchedule
from accounts.selectors.fees import fee_book_of, get_fee_book
from accounts.services.load_fee_schedules import STREAM, load_fee_schedules
from journal.models import Event
from kernel.errors import NotPermitted
from refdata.domain.import_rows import ImportCode, LoadResult
from refdata.models import StaticVersion
from tests.factories import make_principal
from tests.factories.accounts import AT, SEED

pytestmark = pytest.mark.django_db
ROWS = list(
    csv.DictReader((Path(__file__).resolve().parents[3] / "accounts/data/fee_schedules.csv").open(encoding="utf-8"))
)
DAY = date(2026, 11, 20)
UK_BUY = FeeScope("XLON", "GB00BH4HKS39", "equity", "standard", "buy", "GBP")


def load(*rows: dict[str, str]) -> LoadResult:
    return load_fee_schedules(actor=SEED, at=AT, rows=rows or ROWS)


def row(of: str = "uk_sdrt", /, **changes: str) -> dict[str, str]:
    return {**next(one for one in ROWS if one["name"] == of), **changes}


def test_the_file_is_loaded_once_and_read_as_it_was_written() -> None:
    assert load() == LoadResult(len(ROWS), 0, 0)
    version = StaticVersion.objects.get(name="fee_schedules").version
    assert load() == LoadResult(0, 0, len(ROWS))
    assert StaticVersion.objects.get(name="fee_schedules").version == version
    event = Event.objects.get(stream=STREAM)
    assert (event.kind, len(event.payload["schedules"])) == ("FeeSchedulesSet", len(ROWS))
    assert {one.event_id for one in FeeSchedule.objects.all()} == {event.id}
    assert [one.name for one in get_fee_book().select(UK_BUY, DAY).terms] == ["commission", "ptm_levy", "uk_sdrt"]
    assert FeeSchedule.objects.exclude(source="").count() == len(ROWS)


def test_a_version_never_changes_and_the_next_one_counts() -> None:
    load()
    first = get_fee_book()
    done = load(row(bps="60"), row(version="2", bps="60", effective_from="2026-11-20"))
    assert (done.added, [(one.row, one.code) for one in done.issues]) == (1, [(2, ImportCode.VERSION_TAKEN)])
    assert get_fee_book().version != first.version
    terms = {one.name: one for one in get_fee_book().select(UK_BUY, DAY).terms}
    assert (terms["uk_sdrt"].version, terms["uk_sdrt"].bps) == (2, Decimal(60))
    before = get_fee_book().select(UK_BUY, date(2026, 11, 19)).terms
    assert {one.name: one.version for one in before}["uk_sdrt"] == 1


def test_a_reader_who_knows_the_version_pays_nothing() -> None:
    load()
    held = get_fee_book()
    with CaptureQueriesContext(connection) as queries:
        assert fee_book_of(held.version) is held
    assert len(queries) == 0


@pytest.mark.parametrize(
    ("changes", "column", "code"),
    [
        ({"name": ""}, "name", ImportCode.VALUE_MISSING),
        ({"name": "x" * 41}, "name", ImportCode.VALUE_TOO_LONG),
        ({"version": "0"}, "version", ImportCode.NUMBER_INVALID),
        ({"version": "one"}, "version", ImportCode.NUMBER_INVALID),
        ({"kind": "duty"}, "kind", ImportCode.CHOICE_UNKNOWN),
        ({"basis": ""}, "basis", ImportCode.CHOICE_UNKNOWN),
        ({"rounding": ""}, "rounding", ImportCode.CHOICE_UNKNOWN),
        ({"side": "short"}, "side", ImportCode.CHOICE_UNKNOWN),
        ({"asset_class": "bond"}, "asset_class", ImportCode.CHOICE_UNKNOWN),
        ({"mic": "LSE"}, "mic", ImportCode.MIC_INVALID),
        ({"issuers": "GB gb"}, "issuers", ImportCode.COUNTRY_INVALID),
        ({"currency": "GBX"}, "currency", ImportCode.CURRENCY_INVALID),
        ({"flat": "1"}, "currency", ImportCode.VALUE_MISSING),
        ({"above": "1"}, "currency", ImportCode.VALUE_MISSING),
        ({"tiers": "50000:5"}, "currency", ImportCode.VALUE_MISSING),
        ({"tiers": "*:5 50000:1"}, "tiers", ImportCode.NUMBER_INVALID),
        ({"tiers": "50000:5 40000:1"}, "tiers", ImportCode.NUMBER_INVALID),
        ({"bps": "-1"}, "bps", ImportCode.NUMBER_INVALID),
        ({"bps": "0.000000001"}, "bps", ImportCode.NUMBER_INVALID),
        ({"bps": "NaN"}, "bps", ImportCode.NUMBER_INVALID),
        ({"bps": ""}, "method", ImportCode.VALUE_MISSING),
        ({"method": "none"}, "method", ImportCode.CHOICE_UNKNOWN),
        ({"minimum": "2", "maximum": "1", "currency": "GBP"}, "maximum", ImportCode.NUMBER_INVALID),
        ({"effective_from": ""}, "effective_from", ImportCode.VALUE_MISSING),
        ({"effective_from": "1/1/2026"}, "effective_from", ImportCode.DATE_INVALID),
        ({"effective_to": "1990-01-01"}, "effective_to", ImportCode.DATE_INVALID),
        ({"source": ""}, "source", ImportCode.VALUE_MISSING),
    ],
)
def test_a_bad_row_is_refused_by_cell_and_good_ones_are_kept(changes: dict[str, Any], column: str, code: str) -> None:
    done = load(row("ie_stamp_duty"), row(**changes))
    assert (done.added, {(one.row, one.column, one.code) for one in done.issues}) == (1, {(3, column, code)})
    assert [one.name for one in FeeSchedule.objects.all()] == ["ie_stamp_duty"]


def test_only_an_administrator_may() -> None:
    dealer = make_principal("dealer", role="dealer", rights=("enter_order",))
    with pytest.raises(NotPermitted):
        load_fee_schedules(actor=dealer, at=AT, rows=ROWS)
    assert not FeeSchedule.objects.exists()


@pytest.mark.parametrize("sql", ["UPDATE accounts_feeschedule SET bps = 1", "DELETE FROM accounts_feeschedule"])
def test_the_table_takes_no_change(sql: str) -> None:
    load(row())
    with pytest.raises(IntegrityError, match="is denied"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql)


def test_no_charge_cannot_hide_a_rate() -> None:
    load(row("us_sec_31", version="9", method="none", bps=""))
    values = FeeSchedule.objects.values().get()
    with pytest.raises(IntegrityError, match="none_charges_nothing"), transaction.atomic():
        FeeSchedule.objects.create(**{**values, "id": None, "version": 10, "flat": 1})
