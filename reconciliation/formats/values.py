"""One value of a record: what its text means in the one spelling that staging holds, or why it means nothing.

Liberal in what is harmless (case of words, blanks around, ISO dates without dashes, FIX times), strict in what would change
a number: no grouping, no exponent, no NaN, no more than 8 decimals, no time without a zone, currencies in capitals only
(GBp is a hundredth of GBP). An empty text stays empty: the file does not say.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from functools import lru_cache, partial
from typing import Final

from stdnum import lei as stdnum_lei

from reconciliation.domain.records import Column, Type
from reconciliation.formats.problems import BadValue, RowCode, shown
from reconciliation.formats.words import OPEN, WORDS, plain_word
from refdata.domain.identifiers import is_currency, is_isin, is_mic

Read = Callable[[str], str]

NEVER_NEGATIVE: Final = frozenset({"order_qty", "cum_qty", "leaves_qty", "last_qty"})
WHOLE_DIGITS: Final = 16
DECIMALS: Final = 8
_NUMBER = re.compile(r"([+-]?)(\d*)(?:\.(\d*))?", re.ASCII)
_PLAIN = re.compile(r"(?:0|[1-9]\d{0,15}+)(?:\.\d{0,7}[1-9])?", re.ASCII)  # already in the one spelling
_AMBIGUOUS = re.compile(r"[+-]?[1-9]\d{0,2},\d{3}", re.ASCII)
_DATE = re.compile(r"((?:19|20|21)\d\d)(-?)(\d\d)\2(\d\d)", re.ASCII)
_INSTANT = re.compile(
    r"(?P<date>\d{4}-\d\d-\d\d)[Tt ](?P<clock>[0-2]\d:[0-5]\d:(?:[0-5]\d|60))(?:[.,](?P<part>\d{1,12}))?\s?"
    r"(?P<zone>Z|z|UTC|[+-]\d\d(?::?\d\d)?)?",
    re.ASCII,
)
_FIX_INSTANT = re.compile(r"(\d{8})-([0-2]\d:[0-5]\d(?::(?:[0-5]\d|60))?)(?:\.(\d{1,12}))?Z?", re.ASCII)
_LINE_ENDS = re.compile(r" *[\t\r\n]+[ \t\r\n]*")
PROSE: Final = frozenset({"name", "client_name", "narrative"})
"""Columns for people alone: a line end within one is a blank. In a name that is looked up it is a fault."""
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_KEPT: Final = 16_384


def read_number(text: str, *, decimal_comma: bool = False, negative: bool = True) -> str:
    """A plain decimal: no plus, no leading or trailing zeros that say nothing, a minus only before what is not zero."""
    if _PLAIN.fullmatch(text):
        return text
    said = text.replace("\u2212", "-")
    if decimal_comma and "," in said:
        if _AMBIGUOUS.fullmatch(said):
            sentence = f"{shown(text)} may be a thousand or a fraction: write it with a point, or another digit."
            raise BadValue(RowCode.NUMBER_AMBIGUOUS, sentence)
        if "." not in said and said.count(",") == 1:
            said = said.replace(",", ".")
    found = _NUMBER.fullmatch(said)
    if found is None or not (found[2] or found[3]):
        raise BadValue(RowCode.NUMBER_INVALID, f"{shown(text)} is not a plain decimal number.")
    whole, part = found[2].lstrip("0"), (found[3] or "").rstrip("0")
    if len(whole) > WHOLE_DIGITS:
        raise BadValue(RowCode.NUMBER_TOO_LARGE, f"{shown(text)} has more than {WHOLE_DIGITS} digits before the point.")
    if len(part) > DECIMALS:
        raise BadValue(RowCode.NUMBER_TOO_FINE, f"{shown(text)} has more than {DECIMALS} decimals.")
    figure = f"{whole or '0'}.{part}" if part else whole or "0"
    if found[1] != "-" or figure == "0":
        return figure
    if not negative:
        raise BadValue(RowCode.NUMBER_NEGATIVE, f"{shown(text)} is negative; a quantity is not, the side says it.")
    return f"-{figure}"


def read_date(text: str) -> str:
    """``YYYY-MM-DD`` from it or from ``YYYYMMDD``; a day that is in the calendar."""
    found = _DATE.fullmatch(text)
    if found is not None:
        try:
            return date(int(found[1]), int(found[3]), int(found[4])).isoformat()
        except ValueError:
            pass
    raise BadValue(RowCode.DATE_INVALID, f"{shown(text)} is not a date: write YYYY-MM-DD.")


def read_instant(text: str) -> str:
    """ISO 8601 with the zone it was said in, microseconds at most (finer digits are cut off); a FIX time is UTC."""
    fix = _FIX_INSTANT.fullmatch(text)
    if fix is not None:
        return _instant(text, read_date(fix[1]), fix[2] if len(fix[2]) == 8 else f"{fix[2]}:00", fix[3], "Z")
    found = _INSTANT.fullmatch(text)
    if found is None:
        raise BadValue(RowCode.INSTANT_INVALID, f"{shown(text)} is not a time: write YYYY-MM-DDThh:mm:ss and its zone.")
    if found["zone"] is None:
        raise BadValue(RowCode.INSTANT_WITHOUT_ZONE, f"{shown(text)} does not say its zone: add Z or +hh:mm.")
    return _instant(text, read_date(found["date"]), found["clock"], found["part"], _offset(text, found["zone"]))


def _instant(text: str, day: str, clock: str, part: str | None, zone: str) -> str:
    if clock[:2] > "23":
        raise BadValue(RowCode.INSTANT_INVALID, f"{shown(text)} has an hour above 23.")
    if clock[6:] > "59":
        raise BadValue(RowCode.INSTANT_INVALID, f"{shown(text)} is in a leap second: write it as the second before it.")
    fraction = (part or "")[:6].rstrip("0")
    return f"{day}T{clock}.{fraction}{zone}" if fraction else f"{day}T{clock}{zone}"


def _offset(text: str, zone: str) -> str:
    if zone in ("Z", "z", "UTC"):
        return "Z"
    hours, minutes = zone[1:3], zone[3:].lstrip(":") or "00"
    if hours > "14" or minutes > "59":
        raise BadValue(RowCode.INSTANT_INVALID, f"{shown(text)} has no such zone.")
    return f"{zone[0]}{hours}:{minutes}"


@lru_cache(maxsize=_KEPT)
def read_isin(text: str) -> str:
    """Capitals, and the check digit is right."""
    code = text.upper()
    if not is_isin(code):
        raise BadValue(RowCode.ISIN_INVALID, f"{shown(text)} is no ISIN: check its last digit.")
    return code


def read_currency(text: str) -> str:
    """ISO 4217 in capitals as the file has it: GBp and GBX are units of price, not money."""
    if not is_currency(text):
        raise BadValue(RowCode.CURRENCY_INVALID, f"{shown(text)} is no ISO 4217 currency we settle in.")
    return text


def read_mic(text: str) -> str:
    """Four capitals or digits."""
    code = text.upper()
    if not is_mic(code):
        raise BadValue(RowCode.MIC_INVALID, f"{shown(text)} is no MIC: four letters or digits.")
    return code


@lru_cache(maxsize=_KEPT)
def read_lei(text: str) -> str:
    """Twenty characters with the right check digits."""
    code = text.upper()
    if len(code) != 20 or not stdnum_lei.is_valid(code):
        raise BadValue(RowCode.LEI_INVALID, f"{shown(text)} is no LEI: check its last two digits.")
    return code


def read_word(text: str, column: str) -> str:
    """The code or word of ours for a word of theirs."""
    word = WORDS[column].get(plain_word(text))
    if word is None and column in OPEN and len(text) == 1 and text.isascii() and text.isalnum():
        return text.upper()
    if word is None:
        choices = ", ".join(sorted(set(WORDS[column].values())))
        raise BadValue(RowCode.WORD_UNKNOWN, f"{shown(text)} is no {column} we know: {choices}.")
    return word


def read_text(text: str, *, longest: int) -> str:
    """As it stands, within its length, without control characters."""
    if len(text) > longest:
        raise BadValue(RowCode.TEXT_TOO_LONG, f"{shown(text)} is longer than {longest} characters.")
    if _CONTROL.search(text):
        raise BadValue(RowCode.TEXT_CONTROL, f"{shown(text)} holds a control character.")
    return text


def read_prose(text: str, *, longest: int) -> str:
    """As :func:`read_text`, lines put together."""
    return read_text(_LINE_ENDS.sub(" ", text), longest=longest)


_BY_NAME: Final[dict[str, Read]] = {
    "isin": read_isin,
    "mic": read_mic,
    "currency": read_currency,
    "base_currency": read_currency,
    "lei": read_lei,
}


def reader_of(column: Column, *, decimal_comma: bool = False) -> Read:
    """What turns a stripped, non-empty text of this column into what staging holds. Raises BadValue."""
    if column.type is Type.AMOUNT:
        return partial(read_number, decimal_comma=decimal_comma, negative=column.name not in NEVER_NEGATIVE)
    if column.type is Type.DATE:
        return read_date
    if column.type is Type.INSTANT:
        return read_instant
    if column.name in _BY_NAME:
        return _BY_NAME[column.name]
    if column.name in WORDS:
        return partial(read_word, column=column.name)
    return partial(read_prose if column.name in PROSE else read_text, longest=column.longest)
