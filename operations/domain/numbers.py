"""Numbers as every screen writes them. Pure; the template filters and the effects of approvals share it."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Any

from kernel.numbers import plain

NONE = "—"
MINUS = "\u2212"


def grouped(value: Any, places: int = 0) -> str:
    """Thousands separated, at least ``places`` decimals, true minus; an em dash for nothing."""
    if value is None or value == "":
        return NONE
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        return str(value)
    text = plain(number.copy_abs())
    whole, _, fraction = text.partition(".")
    fraction = fraction.ljust(places, "0")
    shown = f"{int(whole):,}" + (f".{fraction}" if fraction else "")
    return f"{MINUS}{shown}" if number < 0 else shown


def signed(value: Any, places: int = 0) -> str:
    """As :func:`grouped`, with a plus in front of what is above zero."""
    text = grouped(value, places)
    return f"+{text}" if text not in (NONE, "0") and not text.startswith(MINUS) else text
