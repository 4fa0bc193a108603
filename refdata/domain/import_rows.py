"""What a master-data file says, row by row. Decides which rows are good; the others become issues, never exceptions.

Rows are numbered as a person sees them in a spreadsheet: the header is row 1, the first record row 2.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from kernel.numbers import parse_decimal
from refdata.domain.identifiers import is_currency, is_isin, is_mic
from refdata.domain.price_units import divisor_of
from refdata.domain.tick_table import Band, is_on_tick

LISTING_COLUMNS = (
    "symbol",
    "isin",
    "name",
    "asset_class",
    "mic",
    "venue_symbol",
    "currency",
    "price_unit",
    "tick_table",
    "lot_size",
    "average_daily_volume",
    "reference_price",
)
ASSET_CLASSES = frozenset({"equity", "etf"})
MAX_ROWS = 200_000
_MAX_SYMBOL = 24
_MAX_NAME = 120


class ImportCode(StrEnum):
    """Why a row, or a file, was not taken."""

    COLUMN_MISSING = "COLUMN_MISSING"
    FILE_TOO_LONG = "FILE_TOO_LONG"
    VALUE_MISSING = "VALUE_MISSING"
    VALUE_TOO_LONG = "VALUE_TOO_LONG"
    SYMBOL_TWICE = "SYMBOL_TWICE"
    SYMBOL_TAKEN = "SYMBOL_TAKEN"
    ISIN_INVALID = "ISIN_INVALID"
    MIC_INVALID = "MIC_INVALID"
    MIC_UNKNOWN = "MIC_UNKNOWN"
    COUNTRY_INVALID = "COUNTRY_INVALID"
    TIME_ZONE_UNKNOWN = "TIME_ZONE_UNKNOWN"
    CURRENCY_INVALID = "CURRENCY_INVALID"
    PRICE_UNIT_INVALID = "PRICE_UNIT_INVALID"
    ASSET_CLASS_UNKNOWN = "ASSET_CLASS_UNKNOWN"
    TICK_TABLE_UNKNOWN = "TICK_TABLE_UNKNOWN"
    TICK_TABLE_INVALID = "TICK_TABLE_INVALID"
    NUMBER_INVALID = "NUMBER_INVALID"
    PRICE_OFF_TICK = "PRICE_OFF_TICK"
    PRICE_CROSSED = "PRICE_CROSSED"
    PRICE_FROM_FUTURE = "PRICE_FROM_FUTURE"
    CHOICE_UNKNOWN = "CHOICE_UNKNOWN"
    DATE_INVALID = "DATE_INVALID"
    VERSION_TAKEN = "VERSION_TAKEN"
    PAIR_REVERSED = "PAIR_REVERSED"
    PAIR_TWICE = "PAIR_TWICE"
    ACTION_INVALID = "ACTION_INVALID"


@dataclass(frozen=True, slots=True)
class ImportIssue:
    """One thing wrong with one cell: ``row`` as in a spreadsheet, ``column`` empty for a whole file."""

    row: int
    column: str
    code: ImportCode
    sentence: str


@dataclass(frozen=True, slots=True)
class LoadResult:
    """How many records were added, changed and left as they were, and every issue. Nothing raised per row."""

    added: int
    changed: int
    unchanged: int
    issues: tuple[ImportIssue, ...] = ()


@dataclass(frozen=True, slots=True)
class ListingDraft:
    """A good row: an instrument and its listing. Prices in ``price_unit``."""

    row: int
    symbol: str
    isin: str
    name: str
    asset_class: str
    mic: str
    venue_symbol: str
    currency: str
    price_unit: str
    price_divisor: int
    tick_table: str
    lot_size: Decimal
    average_daily_volume: Decimal | None
    reference_price: Decimal | None


def read_rows(text: str, columns: Sequence[str]) -> tuple[list[dict[str, str]], tuple[ImportIssue, ...]]:
    """CSV text with a header as rows of stripped cells; a missing column or too many rows gives no rows."""
    reader = csv.DictReader(io.StringIO(text.removeprefix("\ufeff")))
    present = {(name or "").strip() for name in reader.fieldnames or ()}
    missing = [name for name in columns if name not in present]
    if missing:
        sentence = f"The header lacks {', '.join(missing)}."
        return [], (ImportIssue(1, missing[0], ImportCode.COLUMN_MISSING, sentence),)
    rows: list[dict[str, str]] = []
    for record in reader:
        if len(rows) == MAX_ROWS:
            return [], (ImportIssue(0, "", ImportCode.FILE_TOO_LONG, f"The file has more than {MAX_ROWS} rows."),)
        rows.append({name.strip(): (record[name] or "").strip() for name in reader.fieldnames or () if name})
    return rows, ()


def parse_listings(
    rows: Sequence[Mapping[str, str]], *, mics: Collection[str], ticks: Mapping[str, Sequence[Band]]
) -> tuple[list[ListingDraft], list[ImportIssue]]:
    """Good rows as drafts and an issue for every bad cell; of rows with the same symbol the first is kept."""
    drafts: list[ListingDraft] = []
    issues: list[ImportIssue] = []
    seen: set[str] = set()
    for number, row in enumerate(rows, start=2):
        draft, faults = _parse_listing(number, row, mics=mics, ticks=ticks)
        if draft is not None and draft.symbol in seen:
            faults = [
                ImportIssue(number, "symbol", ImportCode.SYMBOL_TWICE, f"{draft.symbol} stands in an earlier row.")
            ]
        if draft is None or faults:
            issues.extend(faults)
            continue
        seen.add(draft.symbol)
        drafts.append(draft)
    return drafts, issues


def _parse_listing(
    number: int, row: Mapping[str, str], *, mics: Collection[str], ticks: Mapping[str, Sequence[Band]]
) -> tuple[ListingDraft | None, list[ImportIssue]]:
    cells = {column: row.get(column, "").strip() for column in LISTING_COLUMNS}
    cells["symbol"], cells["venue_symbol"] = cells["symbol"].upper(), cells["venue_symbol"].upper()
    faults = _text_faults(number, cells) + _code_faults(number, cells, mics=mics, ticks=ticks)
    lot_size = _positive(number, "lot_size", cells["lot_size"] or "1", faults)
    volume = _positive(number, "average_daily_volume", cells["average_daily_volume"], faults)
    price = _positive(number, "reference_price", cells["reference_price"], faults)
    bands = ticks.get(cells["tick_table"])
    if price is not None and bands and not is_on_tick(bands, price):
        sentence = f"{price} is not a multiple of the tick of table {cells['tick_table']}."
        faults.append(ImportIssue(number, "reference_price", ImportCode.PRICE_OFF_TICK, sentence))
    divisor = divisor_of(cells["price_unit"], cells["currency"])
    if faults or lot_size is None or divisor is None:
        return None, faults
    return (
        ListingDraft(
            row=number,
            symbol=cells["symbol"],
            isin=cells["isin"],
            name=cells["name"],
            asset_class=cells["asset_class"],
            mic=cells["mic"],
            venue_symbol=cells["venue_symbol"],
            currency=cells["currency"],
            price_unit=cells["price_unit"],
            price_divisor=divisor,
            tick_table=cells["tick_table"],
            lot_size=lot_size,
            average_daily_volume=volume,
            reference_price=price,
        ),
        [],
    )


def _text_faults(number: int, cells: Mapping[str, str]) -> list[ImportIssue]:
    faults: list[ImportIssue] = []
    for column, width in (("symbol", _MAX_SYMBOL), ("name", _MAX_NAME), ("venue_symbol", _MAX_SYMBOL)):
        if not cells[column]:
            faults.append(ImportIssue(number, column, ImportCode.VALUE_MISSING, f"{column} is empty."))
        elif len(cells[column]) > width:
            sentence = f"{column} is longer than {width} characters."
            faults.append(ImportIssue(number, column, ImportCode.VALUE_TOO_LONG, sentence))
    return faults


def _code_faults(
    number: int, cells: Mapping[str, str], *, mics: Collection[str], ticks: Mapping[str, Sequence[Band]]
) -> list[ImportIssue]:
    mic, currency, unit = cells["mic"], cells["currency"], cells["price_unit"]
    rules = (
        (
            is_isin(cells["isin"]),
            "isin",
            ImportCode.ISIN_INVALID,
            f"{cells['isin']!r} is no ISIN: check its last digit.",
        ),
        (is_mic(mic), "mic", ImportCode.MIC_INVALID, f"{mic!r} is no MIC: four upper-case letters or digits."),
        (not is_mic(mic) or mic in mics, "mic", ImportCode.MIC_UNKNOWN, f"Market {mic} is not loaded."),
        (is_currency(currency), "currency", ImportCode.CURRENCY_INVALID, f"{currency!r} is no ISO 4217 currency."),
        (
            not is_currency(currency) or divisor_of(unit, currency) is not None,
            "price_unit",
            ImportCode.PRICE_UNIT_INVALID,
            f"Prices in {unit!r} cannot belong to a listing that settles in {currency}.",
        ),
        (
            cells["asset_class"] in ASSET_CLASSES,
            "asset_class",
            ImportCode.ASSET_CLASS_UNKNOWN,
            f"{cells['asset_class']!r} is not one of {', '.join(sorted(ASSET_CLASSES))}.",
        ),
        (
            cells["tick_table"] in ticks,
            "tick_table",
            ImportCode.TICK_TABLE_UNKNOWN,
            f"Tick table {cells['tick_table']!r} is not loaded.",
        ),
    )
    return [ImportIssue(number, column, code, sentence) for holds, column, code, sentence in rules if not holds]


def _positive(number: int, column: str, text: str, faults: list[ImportIssue]) -> Decimal | None:
    if not text:
        return None
    value = parse_decimal(text)
    if value is None or value <= 0:
        faults.append(
            ImportIssue(number, column, ImportCode.NUMBER_INVALID, f"{text[:40]!r} is not a number above zero.")
        )
        return None
    return value
