"""What a file of fee schedules says, row by row: good rows become schedules, the others issues. Pure.

A row must say whether it charges (``rates``) or says that nothing is charged (``none``): an empty row is no free trade.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from accounts.domain.fee_book import FeeSchedule
from accounts.domain.fees import Basis, ChargeKind, ChargeTerms, Tier
from kernel.numbers import ZERO, Rounding, parse_decimal
from refdata.domain.identifiers import is_country, is_currency, is_mic
from refdata.domain.import_rows import ASSET_CLASSES, ImportCode, ImportIssue

FEE_COLUMNS = (
    "name", "version", "kind", "basis", "mic", "issuers", "asset_class", "account_class", "side", "currency",
    "effective_from", "effective_to", "method", "flat", "per_share", "bps", "tiers", "minimum", "maximum", "maximum_bps",
    "above", "rounding", "source",
)  # fmt: skip
_CHOICES: dict[str, tuple[str, ...]] = {
    "kind": tuple(ChargeKind),
    "basis": tuple(Basis),
    "rounding": tuple(Rounding),
    "method": ("rates", "none"),
    "side": ("", "buy", "sell"),
    "asset_class": ("", *sorted(ASSET_CLASSES)),
}
_RATES = ("flat", "per_share", "bps", "minimum")
_IN_CURRENCY = ("flat", "per_share", "minimum", "maximum", "above")
_NUMBERS = (*_RATES, "maximum", "maximum_bps", "above")
_MAX_NAME, _MAX_CLASS = 40, 24


@dataclass(frozen=True, slots=True)
class ScheduleDraft:
    """A good row and where it came from."""

    row: int
    schedule: FeeSchedule
    source: str


def parse_schedules(rows: Sequence[Mapping[str, str]]) -> tuple[list[ScheduleDraft], list[ImportIssue]]:
    """Good rows as schedules and an issue for every bad cell; rows are numbered as a spreadsheet shows them."""
    drafts: list[ScheduleDraft] = []
    issues: list[ImportIssue] = []
    for number, row in enumerate(rows, start=2):
        faults: list[ImportIssue] = []
        draft = _parse(number, {name: row.get(name, "").strip() for name in FEE_COLUMNS}, faults)
        issues += faults
        if draft is not None:
            drafts.append(draft)
    return drafts, issues


def _parse(number: int, cells: Mapping[str, str], faults: list[ImportIssue]) -> ScheduleDraft | None:
    _check_texts(number, cells, faults)
    numbers = {name: _number(number, name, cells[name], faults) for name in _NUMBERS}
    tiers = _tiers(number, cells["tiers"], faults)
    since = _date(number, "effective_from", cells["effective_from"], faults)
    until = _date(number, "effective_to", cells["effective_to"], faults) if cells["effective_to"] else None
    if since is None and not any(fault.column == "effective_from" for fault in faults):
        faults.append(_issue(number, "effective_from", ImportCode.VALUE_MISSING, "effective_from is empty."))
    if since and until and until < since:
        faults.append(_issue(number, "effective_to", ImportCode.DATE_INVALID, "It ends before it begins."))
    if not faults:
        _check_method(number, cells, numbers, tiers, faults)
    if faults or since is None:
        return None
    terms = ChargeTerms(
        name=cells["name"],
        version=int(cells["version"]),
        kind=ChargeKind(cells["kind"]),
        basis=Basis(cells["basis"]),
        rounding=Rounding(cells["rounding"]),
        currency=cells["currency"],
        flat=numbers["flat"] or ZERO,
        per_share=numbers["per_share"] or ZERO,
        bps=numbers["bps"] or ZERO,
        tiers=tiers,
        minimum=numbers["minimum"] or ZERO,
        maximum=numbers["maximum"],
        maximum_bps=numbers["maximum_bps"],
        above=numbers["above"] or ZERO,
    )
    schedule = FeeSchedule(
        terms=terms,
        effective_from=since,
        effective_to=until,
        mic=cells["mic"],
        issuers=tuple(sorted(cells["issuers"].split())),
        asset_class=cells["asset_class"],
        account_class=cells["account_class"],
        side=cells["side"],
    )
    return ScheduleDraft(number, schedule, cells["source"])


def _check_texts(number: int, cells: Mapping[str, str], faults: list[ImportIssue]) -> None:
    for column in ("name", "version", "source"):
        if not cells[column]:
            faults.append(_issue(number, column, ImportCode.VALUE_MISSING, f"{column} is empty."))
    for column, width in (("name", _MAX_NAME), ("account_class", _MAX_CLASS)):
        if len(cells[column]) > width:
            sentence = f"{column} is longer than {width} characters."
            faults.append(_issue(number, column, ImportCode.VALUE_TOO_LONG, sentence))
    if cells["version"] and not (cells["version"].isdecimal() and 0 < int(cells["version"]) < 10_000):
        faults.append(_issue(number, "version", ImportCode.NUMBER_INVALID, "version is a whole number above zero."))
    for column, allowed in _CHOICES.items():
        if cells[column] not in allowed:
            sentence = f"{cells[column][:40]!r} is not one of {', '.join(one or 'empty' for one in allowed)}."
            faults.append(_issue(number, column, ImportCode.CHOICE_UNKNOWN, sentence))
    if cells["mic"] and not is_mic(cells["mic"]):
        faults.append(_issue(number, "mic", ImportCode.MIC_INVALID, f"{cells['mic'][:10]!r} is no MIC."))
    if cells["currency"] and not is_currency(cells["currency"]):
        sentence = f"{cells['currency'][:10]!r} is no ISO 4217 currency."
        faults.append(_issue(number, "currency", ImportCode.CURRENCY_INVALID, sentence))
    for country in cells["issuers"].split():
        if not is_country(country):
            faults.append(_issue(number, "issuers", ImportCode.COUNTRY_INVALID, f"{country[:10]!r} is no country."))


def _check_method(
    number: int,
    cells: Mapping[str, str],
    numbers: Mapping[str, Decimal | None],
    tiers: tuple[Tier, ...],
    faults: list[ImportIssue],
) -> None:
    charges = bool(tiers) or any(numbers[name] for name in _RATES)
    if cells["method"] == "rates" and not charges:
        sentence = "It charges nothing; say none where nothing is charged."
        faults.append(_issue(number, "method", ImportCode.VALUE_MISSING, sentence))
    if cells["method"] == "none" and charges:
        faults.append(_issue(number, "method", ImportCode.CHOICE_UNKNOWN, "It says none and names a rate."))
    amounts = any(numbers[name] for name in _IN_CURRENCY) or any(tier.up_to is not None for tier in tiers)
    if amounts and not cells["currency"]:
        sentence = "An amount of money needs its currency."
        faults.append(_issue(number, "currency", ImportCode.VALUE_MISSING, sentence))
    least, most = numbers["minimum"], numbers["maximum"]
    if least is not None and most is not None and least > most:
        faults.append(_issue(number, "maximum", ImportCode.NUMBER_INVALID, "The maximum is below the minimum."))


def _tiers(number: int, text: str, faults: list[ImportIssue]) -> tuple[Tier, ...]:
    """``50000:10 250000:5 *:2``: up to a value, basis points; rising, the rest last."""
    found: list[Tier] = []
    for part in text.split():
        reach, _, rate = part.partition(":")
        up_to, bps = (None if reach == "*" else parse_decimal(reach)), parse_decimal(rate)
        last = found[-1].up_to if found else ZERO
        rising = last is not None and (up_to is None or up_to > last)
        if bps is None or bps < 0 or (up_to is None and reach != "*") or not rising:
            sentence = f"{part[:40]!r} is no tier: a rising value, a colon and basis points; * is the rest."
            faults.append(_issue(number, "tiers", ImportCode.NUMBER_INVALID, sentence))
            return ()
        found.append(Tier(up_to, bps))
    return tuple(found)


def _number(number: int, column: str, text: str, faults: list[ImportIssue]) -> Decimal | None:
    if not text:
        return None
    value = parse_decimal(text)
    if value is None or value < 0 or value != round(value, 8):
        sentence = f"{text[:40]!r} is not a number of at most eight places, zero or above."
        faults.append(_issue(number, column, ImportCode.NUMBER_INVALID, sentence))
        return None
    return value


def _date(number: int, column: str, text: str, faults: list[ImportIssue]) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        sentence = f"{text[:40]!r} is no date: year-month-day."
        faults.append(_issue(number, column, ImportCode.DATE_INVALID, sentence))
        return None


def _issue(row: int, column: str, code: ImportCode, sentence: str) -> ImportIssue:
    return ImportIssue(row, column, code, sentence)
