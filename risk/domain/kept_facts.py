"""What a decision saw, kept so that it can be judged again: ``Facts`` as JSON, written in one pass, and read back whole.

Left out is what is kept elsewhere and large: price steps (by table and version), limits (their answers name the marks they
saw; ``as_at`` has them by time), rates of messages (they judge a moment, not an order). The rulebook is its number.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, is_dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from functools import lru_cache
from typing import Any, Union, get_args, get_origin, get_type_hints
from uuid import UUID

import orjson

from kernel.numbers import plain
from risk.domain.facts import Facts
from risk.domain.rulebook.book import Rulebook

LEFT_OUT = ("limits", "rates", "listing.ticks")
VERSION = 1


def facts_to_bytes(facts: Facts, *, registry: str) -> bytes:
    """The facts with the versions that judged them: ``{"v", "registry", "facts"}``."""
    kept = replace(facts, limits=(), rates=None, listing=replace(facts.listing, ticks=()))
    return orjson.dumps(
        {"v": VERSION, "registry": registry, "facts": kept}, default=_plain, option=orjson.OPT_NON_STR_KEYS
    )


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return plain(value)
    if isinstance(value, frozenset):
        return sorted(value)
    if isinstance(value, Rulebook):
        return value.version
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} is no fact")


def facts_of(kept: Mapping[str, Any]) -> Facts:
    """The facts of a kept decision, without what was left out and without a rulebook.

    Raises KeyError, TypeError or ValueError for what another version wrote and this one cannot read.
    """
    facts: Facts = _reader(Facts)(kept["facts"])
    return facts


def rulebook_number(kept: Mapping[str, Any]) -> int | None:
    """The number of the rulebook it was judged by."""
    number: int | None = kept["facts"]["conduct"]["rulebook"]
    return number


@lru_cache(maxsize=256)
def _reader(hint: Any) -> Callable[[Any], Any]:
    """How a value of this type is read back."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        return _optional(arguments)
    if hint is Rulebook:
        return lambda value: None
    if is_dataclass(hint) and isinstance(hint, type):
        return _dataclass(hint)
    if origin in (tuple, Sequence, list):
        one = _reader(arguments[0])
        return lambda value: tuple(one(item) for item in value)
    if origin is frozenset:
        one = _reader(arguments[0])
        return lambda value: frozenset(one(item) for item in value)
    if origin is Mapping or origin is dict:
        key, item = _reader(arguments[0]), _reader(arguments[1])
        return lambda value: {key(name): item(part) for name, part in value.items()}
    if isinstance(hint, type) and issubclass(hint, Enum):
        return hint
    return _SIMPLE.get(hint, lambda value: value)


_SIMPLE: dict[Any, Callable[[Any], Any]] = {
    Decimal: Decimal,
    UUID: UUID,
    datetime: datetime.fromisoformat,
    date: date.fromisoformat,
}


def _optional(arguments: tuple[Any, ...]) -> Callable[[Any], Any]:
    (inner,) = [one for one in arguments if one is not type(None)]
    read = _reader(inner)
    return lambda value: None if value is None else read(value)


def _dataclass(hint: type) -> Callable[[Any], Any]:
    hints = get_type_hints(hint)
    readers = {item.name: _reader(hints[item.name]) for item in fields(hint)}
    return lambda value: hint(**{name: readers[name](part) for name, part in value.items()})
