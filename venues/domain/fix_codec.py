"""Reading and writing FIX tag=value text, and saying in words what a message holds.

Fields keep the order they have in the text; a tag may repeat (groups). Secrets are masked *before* storage, so a
password is in no table, page or export. Body length and checksum of a masked message are those of the original.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from venues.domain.fix_dictionary import CODE_MEANINGS, FIELD_NAMES

SOH = "\x01"
SECRET_TAGS = frozenset({95, 96, 554, 925})
MASK = "***"
_SECRET = re.compile(rf"(?<={SOH})(95|96|554|925)=[^{SOH}]*")

Fields = Sequence[tuple[int, str]]


@dataclass(frozen=True, slots=True)
class DecodedField:
    """One field for a person: ``known`` is False for tags that no dictionary of ours names."""

    tag: int
    name: str
    value: str
    meaning: str
    known: bool


def mask_secrets(raw: str) -> str:
    """The message with the values of Password, NewPassword and RawData replaced by ``***``."""
    return _SECRET.sub(rf"\1={MASK}", raw)


def parse(raw: str) -> tuple[tuple[int, str], ...]:
    """The fields of a message in their order. Raises ValueError on text that is not tag=value."""
    return tuple([_field(part) for part in raw.split(SOH) if part])


def _field(part: str) -> tuple[int, str]:
    tag, separator, value = part.partition("=")
    if not separator or not tag.isdigit():
        raise ValueError(f"not a FIX field: {part[:40]!r}")
    return int(tag), value


def first_values(fields: Fields) -> dict[int, str]:
    """Each tag's first value: what a reader without groups needs."""
    return dict(reversed(fields))


def join(fields: Fields) -> str:
    """Body text without header and trailer, SOH after each field."""
    return "".join(f"{tag}={value}{SOH}" for tag, value in fields)


def format_message(begin_string: str, fields: Fields) -> str:
    """A whole message: BeginString, BodyLength, the given fields, CheckSum."""
    body = join(fields)
    head = f"8={begin_string}{SOH}9={len(body.encode())}{SOH}{body}"
    return f"{head}10={sum(head.encode()) % 256:03d}{SOH}"


def decode(raw: str) -> tuple[DecodedField, ...]:
    """Every field with its name, value and the meaning of its code. Secrets stay masked even when stored unmasked."""
    decoded = []
    for tag, value in parse(raw):
        name = FIELD_NAMES.get(tag, "")
        shown = MASK if tag in SECRET_TAGS else value
        meaning = CODE_MEANINGS.get(tag, {}).get(value, "")
        decoded.append(DecodedField(tag, name or f"Tag{tag}", shown, meaning, bool(name)))
    return tuple(decoded)


def message_name(msg_type: str) -> str:
    """``ExecutionReport`` for ``8``; the code itself when unknown."""
    return CODE_MEANINGS[35].get(msg_type, msg_type)


def utc_timestamp(at: datetime) -> str:
    """UTCTimestamp with milliseconds, as 4.2 and 4.4 define it."""
    return at.astimezone(UTC).strftime("%Y%m%d-%H:%M:%S.") + f"{at.microsecond // 1000:03d}"


_MOMENT = re.compile(r"(\d{4})(\d\d)(\d\d)-(\d\d):(\d\d):(\d\d)(?:\.(\d*))?", re.ASCII)


def parse_utc_timestamp(text: str) -> datetime | None:
    """A UTCTimestamp with 0 to 9 fraction digits (kept to microseconds), or None when it is not one."""
    found = _MOMENT.fullmatch(text)
    if found is None:
        return None
    year, month, day, hour, minute, second, fraction = found.groups("")
    micros = int((fraction + "000000")[:6])
    try:
        return datetime(int(year), int(month), int(day), int(hour), int(minute), int(second), micros, UTC)
    except ValueError:
        return None


def without(fields: Fields, tags: Iterable[int]) -> tuple[tuple[int, str], ...]:
    """The fields whose tag is not among ``tags``."""
    dropped = frozenset(tags)
    return tuple(field for field in fields if field[0] not in dropped)
