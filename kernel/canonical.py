"""Canonical JSON and digests: the same facts always give the same bytes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from contextlib import suppress
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any, Final
from uuid import UUID

import orjson

from kernel.numbers import plain
from kernel.texts import id_text, utc_text


def jsonable(value: Any) -> Any:
    """Plain JSON types only: Decimal as text, times as ISO 8601 UTC with microseconds, enums by value."""
    if value is None or type(value) is str or isinstance(value, bool | int):  # most are one of these
        return value
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, str):
        return value
    if isinstance(value, Decimal):
        return plain(value)
    if isinstance(value, UUID):
        return id_text(value)
    if isinstance(value, datetime):
        return utc_text(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {str(k): jsonable(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [jsonable(v) for v in value]
    raise TypeError(f"{type(value).__name__} has no canonical JSON form")


PLAIN: Final[frozenset[type]] = frozenset((str, bool, type(None)))


def is_plain(value: Any, leaves: frozenset[type] = PLAIN) -> bool:
    """Whether a value is JSON as it is, of exactly these types, objects and lists: then any writer of JSON gives the same bytes."""
    kind = type(value)
    if kind is dict:
        for key, item in value.items():
            if type(key) is not str:
                return False
            if type(item) not in leaves and not is_plain(item, leaves):
                return False
        return True
    if kind is list:
        return all(type(item) in leaves or is_plain(item, leaves) for item in value)
    return kind in leaves or (kind is int and -(2**63) <= value < 2**63)


def canonical_json(value: Any) -> bytes:
    """UTF-8 JSON with sorted keys and no spaces, after :func:`jsonable`."""
    if is_plain(value):
        with suppress(TypeError):  # deeper than it goes, or text that is no UTF-8: what json says of it counts
            return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
    return json.dumps(jsonable(value), sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def sha256(data: bytes) -> bytes:
    """The 32-byte SHA-256 digest."""
    return hashlib.sha256(data).digest()


def payload_hash(value: Any) -> str:
    """Hex SHA-256 of the canonical JSON of ``value``."""
    return sha256(canonical_json(value)).hex()
