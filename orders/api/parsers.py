"""JSON as money software reads it: numbers become Decimal, NaN and Infinity do not exist, keys never repeat."""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import IO, Any, NoReturn

from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser

MAX_BODY = 5 * 1024 * 1024


def _no_constant(text: str) -> NoReturn:
    raise ParseError(f"{text} is not a number.")


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise ParseError("A key stands twice in one object.")
    return result


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
            return json.loads(
                raw.decode("utf-8"),
                parse_float=Decimal,
                parse_constant=_no_constant,
                object_pairs_hook=_unique_keys,
            )
        except (UnicodeDecodeError, ValueError, RecursionError) as error:
            raise ParseError("The body is not valid UTF-8 JSON.") from error
