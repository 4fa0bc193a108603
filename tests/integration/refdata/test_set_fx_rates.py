"""FX rates go forward in time only, leave an event, and every reader sees a change at once."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from journal.models import Event
from refdata.domain.import_rows import ImportCode
from refdata.models import FxRate, StaticVersion
from refdata.selectors import get_fx_rates
from refdata.services.set_fx_rates import STREAM, FxRatesSet, FxUpdate, set_fx_rates
from tests.integration.refdata.conftest import ACTOR, AT

pytestmark = pytest.mark.django_db
AGE = timedelta(minutes=5)
LATER = AT + timedelta(seconds=5)


def put(*rates: FxUpdate, at: datetime = LATER, max_age: timedelta = AGE) -> FxRatesSet:
    return set_fx_rates(actor=ACTOR, at=at, source="test", max_age=max_age, rates=rates)


def update(base: str = "EUR", quote: str = "GBP", rate: str = "0.8725", quoted_at: datetime = AT) -> FxUpdate:
    return FxUpdate(base, quote, Decimal(rate), quoted_at)


def test_a_batch_is_one_event_and_one_new_version() -> None:
    assert put(update(), update(quote="USD", rate="1.158")) == FxRatesSet(2, ())
    event = Event.objects.get(stream=STREAM)
    assert (event.kind, event.actor, event.payload["source"], event.payload["max_age_s"]) == (
        "FxRatesSet",
        "process:test",
        "test",
        300,
    )
    assert [(line["base"], line["quote"], line["rate"]) for line in event.payload["rates"]] == [
        ("EUR", "GBP", "0.8725"),
        ("EUR", "USD", "1.158"),
    ]
    assert event.payload["version"] == str(StaticVersion.objects.get(name="fx_rates").version)
    held = get_fx_rates().quotes["EUR", "GBP"]
    assert (held.rate, held.quoted_at, held.max_age, held.source) == (Decimal("0.8725"), AT, AGE, "test")


def test_older_and_unchanged_rates_write_nothing() -> None:
    put(update(quoted_at=LATER))
    version = StaticVersion.objects.get(name="fx_rates").version
    assert put(update(rate="2", quoted_at=AT)) == FxRatesSet(0, ())
    assert put(update(quoted_at=LATER)) == FxRatesSet(0, ())
    assert StaticVersion.objects.get(name="fx_rates").version == version
    assert Event.objects.filter(stream=STREAM).count() == 1
    assert FxRate.objects.get().rate == Decimal("0.8725")


def test_a_correction_of_the_same_quote_is_taken() -> None:
    put(update())
    assert put(update(rate="0.8726")).written == 1
    assert put(update(rate="0.8726"), max_age=AGE * 2).written == 1
    assert get_fx_rates().quotes["EUR", "GBP"].max_age == AGE * 2


@pytest.mark.parametrize(
    ("changes", "column", "code"),
    [
        ({"base": "EUX"}, "base", ImportCode.CURRENCY_INVALID),
        ({"quote": "GBX"}, "quote", ImportCode.CURRENCY_INVALID),
        ({"quote": "EUR"}, "quote", ImportCode.CURRENCY_INVALID),
        ({"rate": "0"}, "rate", ImportCode.NUMBER_INVALID),
        ({"rate": "-1"}, "rate", ImportCode.NUMBER_INVALID),
        ({"rate": "NaN"}, "rate", ImportCode.NUMBER_INVALID),
        ({"quoted_at": LATER + timedelta(microseconds=1)}, "quoted_at", ImportCode.PRICE_FROM_FUTURE),
        ({"base": "USD", "quote": "EUR"}, "quote", ImportCode.PAIR_REVERSED),
        ({"quote": "USD", "rate": "2"}, "base", ImportCode.PAIR_TWICE),
    ],
)
def test_a_bad_rate_is_refused_by_row_and_good_ones_are_kept(changes: dict[str, Any], column: str, code: str) -> None:
    done = put(update(quote="USD", rate="1.158"), update(**changes))
    assert (done.written, [(i.row, i.column, i.code) for i in done.issues]) == (1, [(2, column, code)])
    assert [(row.base, row.quote) for row in FxRate.objects.all()] == [("EUR", "USD")]


def test_a_pair_that_is_held_is_not_taken_the_other_way_round() -> None:
    put(update())
    done = put(update(base="GBP", quote="EUR", rate="1.146"))
    assert (done.written, [issue.code for issue in done.issues]) == (0, [ImportCode.PAIR_REVERSED])
    with pytest.raises(IntegrityError, match="refdata_fxrate_one_direction"), transaction.atomic():
        FxRate.objects.create(base="GBP", quote="EUR", rate=1, source="x", quoted_at=AT, max_age_s=1)


def test_a_reader_who_knows_the_version_pays_nothing_and_sees_every_change() -> None:
    put(update())
    first = get_fx_rates()
    with CaptureQueriesContext(connection) as queries:
        assert get_fx_rates(first.version) is first
    assert len(queries) == 0
    put(update(rate="0.9", quoted_at=LATER))
    assert get_fx_rates().quotes["EUR", "GBP"].rate == Decimal("0.9")
    assert get_fx_rates().version != first.version


def test_without_rates_there_is_an_empty_set() -> None:
    assert (get_fx_rates().quotes, get_fx_rates().version) == ({}, None)
