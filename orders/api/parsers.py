"""JSON as money software reads it: numbers become Decimal, NaN and Infinity do not exist, keys never repeat."""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from functools import partial
from itertools import chain
from typing import IO, Any, NoReturn

from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser

MAX_BODY = 5 * 1024 * 1024
_LARGE = 64 * 1024
_NESTED = frozenset({dict, list})


def _no_constant(text: str) -> NoReturn:
    raise ParseError(f"{text} is not a number.")


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise ParseError("A key stands twice in one object.")
    return result


def _count_keys(value: Any) -> int:
    """Keys of all objects in it. There is a colon for each key that was written (and any number within texts): where as many keys are left
    as there are colons, none stood twice. So a large body is read without asking about each of its objects."""
    found, level = 0, [value]
    while level:
        objects = [one for one in level if type(one) is dict]
        found += sum(map(len, objects))
        values = chain(
            chain.from_iterable(map(dict.values, objects)),
            chain.from_iterable([one for one in level if type(one) is list]),
        )
        level = [one for one in values if type(one) in _NESTED]
    return found


class DecimalJsonParser(BaseParser):
    """``application/json``, UTF-8, at most 5 MB."""

    media_type = "application/json"

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        raw = stream.read(MAX_BODY + 1)
        if len(raw) > MAX_BODY:
            raise ParseError("The body is larger than 5 MB.")
        try:
            text = raw.decode("utf-8")
            read = partial(json.loads, text, parse_float=Decimal, parse_constant=_no_constant)
            value = read() if len(raw) >= _LARGE else None
            if value is not None and _count_keys(value) == raw.count(b":"):
                return value
            return read(object_pairs_hook=_unique_keys)
        except (UnicodeDecodeError, ValueError, RecursionError) as error:
            raise ParseError("The body is not valid UTF-8 JSON.") from error
