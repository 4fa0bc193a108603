"""When a second person is needed: every reason by itself, and marks of value compared in their own currency."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal as D

import pytest

from allocations.domain.second_person import DEFAULT_MARK, Wanted, WhyCode, Worth, marks_of, why_second_person
from authorisation.domain.policy import PolicyRow
from kernel.numbers import Money
from refdata.domain.fx import FxQuote, FxRates

AT = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
HOUR = timedelta(hours=1)
SAID = Wanted("weights", "BY-SIZE", [{"account": "C1", "weight": "1"}], {})
OTHER = Wanted("weights", "", [{"account": "C2", "weight": "1"}], {})


def rates(*pairs: tuple[str, str, str], age: timedelta = timedelta(0)) -> FxRates:
    return FxRates({(base, quote): FxQuote(base, quote, D(rate), "ECB", AT - age, HOUR) for base, quote, rate in pairs})


def policy(above: str | None, currency: str = "GBP", number: int = 1) -> PolicyRow:
    mark = D(above) if above is not None else None
    return PolicyRow(number, "allocation", None, mark, currency, 1, 1, "decide_allocation", 60, 60, False)


USD = rates(("GBP", "USD", "1.25"))
EUR_OVER_USD = rates(("GBP", "USD", "1.25"), ("EUR", "USD", "1.10"))
VALUES = [
    # own value, currency, rates, marks, the one reason of value
    ("249999.99", "GBP", USD, (), None),
    ("250000", "GBP", USD, (), None),
    ("250000.01", "GBP", USD, (), WhyCode.VALUE_ABOVE_MARK),
    ("300000", "USD", USD, (), None),  # 240,000 pounds: above the figure of the mark, below the mark
    ("312500", "USD", USD, (), None),
    ("312500.01", "USD", USD, (), WhyCode.VALUE_ABOVE_MARK),
    ("284090.90", "EUR", EUR_OVER_USD, (), None),  # a cross of two: 249,999.99 pounds
    ("284091", "EUR", EUR_OVER_USD, (), WhyCode.VALUE_ABOVE_MARK),
    ("30000000", "JPY", rates(("GBP", "JPY", "190")), (), None),
    ("1", "USD", rates(), (), WhyCode.VALUE_UNKNOWN),
    ("1", "USD", rates(("GBP", "USD", "1.25"), age=HOUR), (), None),
    ("1", "USD", rates(("GBP", "USD", "1.25"), age=HOUR + timedelta(microseconds=1)), (), WhyCode.VALUE_UNKNOWN),
    ("1", "USD", rates(("GBP", "USD", "1.25"), age=-HOUR), (), WhyCode.VALUE_UNKNOWN),  # a rate from the future
    ("100", "USD", rates(), (policy("100", "USD"),), None),  # in its own currency no rate is asked for
    ("100.01", "USD", rates(), (policy("100", "USD"),), WhyCode.VALUE_ABOVE_MARK),
    ("100", "USD", rates(), (policy("100", "USD"), policy("1000")), WhyCode.VALUE_UNKNOWN),
    ("101", "USD", rates(), (policy("100", "USD"), policy("1000")), WhyCode.VALUE_ABOVE_MARK),
    ("600", "GBP", USD, (policy("1000"), policy("500", number=2)), WhyCode.VALUE_ABOVE_MARK),
    ("600", "GBP", USD, (policy(None), policy("1000")), None),
]


@pytest.mark.parametrize(("value", "currency", "known", "marks", "reason"), VALUES)
def test_a_mark_is_compared_in_its_own_currency(
    value: str, currency: str, known: FxRates, marks: tuple[PolicyRow, ...], reason: WhyCode | None
) -> None:
    worth = Worth(Money(D(value), currency), known, AT)
    whys = why_second_person(SAID, worth=worth, intended=None, default=SAID, booked_before=False, marks=marks)
    assert [why.code for why in whys] == ([reason] if reason else [])


def test_sentences_name_both_values_and_the_missing_rate() -> None:
    dollars = Worth(Money(D("400000"), "USD"), USD, AT)
    (why,) = why_second_person(SAID, worth=dollars, intended=SAID, default=None, booked_before=False, marks=())
    assert why.sentence == "Its value, 400,000 USD, is 320,000 GBP now, above 250,000 GBP."
    assert (dollars.firm, dollars.quoted_at, dollars.is_foreign) == (Money(D("320000.00"), "GBP"), AT, True)
    unknown = Worth(Money(D("1200.50"), "USD"), rates(), AT)
    (why,) = why_second_person(SAID, worth=unknown, intended=SAID, default=None, booked_before=False, marks=())
    assert why.sentence == (
        "No fresh rate says what 1,200.5 USD is in GBP, so that nobody can say whether it is above 250,000 GBP."
    )
    assert (unknown.firm, unknown.quoted_at) == (None, None)
    assert marks_of([policy(None)]) == (DEFAULT_MARK,)


@pytest.mark.parametrize(
    ("wanted", "intended", "default", "before", "codes"),
    [
        (SAID, SAID, None, False, []),
        (SAID, None, SAID, False, []),
        (
            OTHER,
            SAID,
            OTHER,
            False,
            [WhyCode.NOT_AS_INTENDED],
        ),  # what was intended for the order goes before the default
        (OTHER, None, SAID, False, [WhyCode.NOT_THE_DEFAULT]),
        (SAID, None, None, False, [WhyCode.NOT_SAID_BEFORE]),
        (SAID, SAID, None, True, [WhyCode.BOOKED_BEFORE]),
        (OTHER, None, SAID, True, [WhyCode.NOT_THE_DEFAULT, WhyCode.BOOKED_BEFORE]),
    ],
)
def test_what_was_not_said_before_is_a_second_persons(
    wanted: Wanted, intended: Wanted | None, default: Wanted | None, before: bool, codes: list[WhyCode]
) -> None:
    worth = Worth(Money(D(1), "GBP"), rates(), AT)
    whys = why_second_person(wanted, worth=worth, intended=intended, default=default, booked_before=before, marks=())
    assert [why.code for why in whys] == codes
