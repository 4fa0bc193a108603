"""Which identifiers are well formed: ISIN with its check digit (ISO 6166), MIC (ISO 10383), currency (ISO 4217)."""

from __future__ import annotations

import re

from stdnum import isin as stdnum_isin

_MIC = re.compile(r"[A-Z0-9]{4}\Z")
_COUNTRY = re.compile(r"[A-Z]{2}\Z")

_CODES = """
AED ARS AUD BGN BHD BRL CAD CHF CLP CNH CNY COP CZK DKK EGP EUR GBP HKD HUF IDR ILS INR ISK JPY KRW KWD MAD MXN MYR
NGN NOK NZD PEN PHP PKR PLN QAR RON RSD SAR SEK SGD THB TRY TWD UAH USD VND ZAR
"""
CURRENCIES = frozenset(_CODES.split())
"""ISO 4217 codes of the currencies in which securities settle. GBX is a price unit, not a currency."""


def is_isin(value: str) -> bool:
    """Twelve characters, known country prefix, right check digit; upper case, no spaces."""
    return len(value) == 12 and value == value.upper() and bool(stdnum_isin.is_valid(value))


def is_mic(value: str) -> bool:
    """Four upper-case letters or digits."""
    return _MIC.match(value) is not None


def is_currency(value: str) -> bool:
    """An ISO 4217 code we settle in."""
    return value in CURRENCIES


def is_country(value: str) -> bool:
    """Two upper-case letters."""
    return _COUNTRY.match(value) is not None
