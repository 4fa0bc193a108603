"""What a custodian says of one instruction, read from any format; and what is wrong with a file or a line of it.

A date without a time counts as noon UTC of that day: settled by then for an evening's statement, not yet for a morning's.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Final

from allocations.domain.settling import RANKS
from kernel.errors import Refused
from refdata.domain.identifiers import is_currency

_NUMBER = re.compile(r"\d{1,16}(\.\d{1,8})?", re.ASCII)
_REF = re.compile(r"[A-Za-z0-9/\-?:().,'+ ]{1,35}", re.ASCII)
_CODE = re.compile(r"[A-Za-z0-9]{0,8}", re.ASCII)
NOON: Final = time(12, tzinfo=UTC)
REASON_LENGTH: Final = 500
RAW_LENGTH: Final = 16_384


class BadFile(Refused):
    """Nothing of the file can be used."""


@dataclass(frozen=True, slots=True)
class StatusLine:
    """One status. ``line`` numbers it in its file; ``effective_at`` None where it does not say: when it came."""

    line: int
    raw: str
    our_ref: str
    their_ref: str
    status: str
    qty: Decimal | None
    amount: Decimal | None
    currency: str
    reason_code: str
    reason: str
    effective_at: datetime | None


@dataclass(frozen=True, slots=True)
class BadLine:
    """A record that was left out, and why."""

    line: int
    raw: str
    sentence: str


class _Wrong(Exception):
    pass


def line_of(line: int, raw: str, values: Mapping[str, str]) -> StatusLine | BadLine:
    """A status from the texts of its columns, or what is wrong with them."""
    try:
        status = values["status"].lower()
        if status not in RANKS:
            raise _Wrong(f"{values['status'][:20]!r} is no status: {', '.join(RANKS)}.")
        units = status in ("partial", "settled")
        currency = values["currency"]
        if currency and not is_currency(currency):
            raise _Wrong(f"{currency[:8]!r} is no currency in which we settle.")
        return StatusLine(
            line=line,
            raw=raw[:RAW_LENGTH],
            our_ref=_text(values["our_ref"], "our_ref", needed=True),
            their_ref=_text(values["their_ref"], "their_ref", needed=units),
            status=status,
            qty=_number(values["quantity"], "quantity"),
            amount=_number(values["amount"], "amount"),
            currency=currency,
            reason_code=_code(values["reason_code"]),
            reason=" ".join(values["reason"].split())[:REASON_LENGTH],
            effective_at=read_moment(values["effective_at"], needed=units),
        )
    except _Wrong as wrong:
        return BadLine(line, raw[:RAW_LENGTH], str(wrong))


def read_moment(text: str, *, needed: bool = False) -> datetime | None:
    """A time with its zone, or a day. Raises what ``line_of`` turns into a bad line."""
    if not text:
        if needed:
            raise _Wrong("It does not say when it settled.")
        return None
    try:
        if len(text) == len("2026-11-24"):
            return datetime.combine(date.fromisoformat(text), NOON)
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise _Wrong(f"{text[:40]!r} is neither a day nor a time.") from None
    if moment.tzinfo is None:
        raise _Wrong(f"{text[:40]!r} does not say its zone.")
    return moment.astimezone(UTC)


def _text(text: str, name: str, *, needed: bool) -> str:
    if not text and not needed:
        return ""
    if not _REF.fullmatch(text):
        raise _Wrong(f"{name} {text[:40]!r} is not a reference of 1 to 35 characters.")
    return text


def _code(text: str) -> str:
    if not _CODE.fullmatch(text):
        raise _Wrong(f"reason_code {text[:20]!r} is not a code of at most 8 letters and digits.")
    return text


def _number(text: str, name: str) -> Decimal | None:
    if not text:
        return None
    if not _NUMBER.fullmatch(text):
        raise _Wrong(f"{name} {text[:40]!r} is not a plain positive decimal with at most 8 decimals.")
    return Decimal(text)
