"""Bodies as money software reads them: whatever their size, no key stands twice, numbers are exact, NaN does not exist."""

from __future__ import annotations

import io
import json
from decimal import Decimal
from typing import Any

import pytest
from rest_framework.exceptions import ParseError

from orders.api.parsers import MAX_BODY, DecimalJsonParser

MANY = [{"account": f"AC{number}", "weight": str(number)} for number in range(2_500)]


def read(body: str) -> Any:
    return DecimalJsonParser().parse(io.BytesIO(body.encode()))


@pytest.mark.parametrize("lines", [MANY[:3], MANY], ids=["small", "large"])
@pytest.mark.parametrize("separators", [(",", ":"), (", ", ": "), (" ,", " : ")])
def test_a_body_is_read_as_it_says(lines: list[dict[str, str]], separators: tuple[str, str]) -> None:
    for more in ({}, {"at": "2026-11-20T09:01:02Z", "why": '":'}, {"deep": [[{"a": [1, {"b": None}]}], "x"]}):
        body = {"lines": lines, **more}
        assert read(json.dumps(body, separators=separators)) == body
    exact = read(json.dumps({"lines": lines})[:-1] + ', "px": 0.1, "n": 12345678901234567890}')
    assert (exact["px"], exact["n"]) == (Decimal("0.1"), 12345678901234567890)
    assert type(exact["px"]) is Decimal


@pytest.mark.parametrize("lines", [MANY[:3], MANY], ids=["small", "large"])
@pytest.mark.parametrize(
    "wrong",
    [
        '{"lines": %s, "lines": []}',
        '{"lines": %s, "deep": [[{"a": 1, "a": 2}]]}',
        '{"a": ":", "a" : "::", "lines": %s}',
        '{"lines": %s, "deep": {"at": "09:01", "x": {"b": 1, "b": 1}}}',
        '{"lines": %s, "n": NaN}',
        '{"lines": %s',
    ],
)
def test_what_could_be_read_in_two_ways_is_not_read(lines: list[dict[str, str]], wrong: str) -> None:
    with pytest.raises(ParseError):
        read(wrong % json.dumps(lines))


def test_a_body_has_an_end() -> None:
    with pytest.raises(ParseError, match="larger than"):
        read('"' + "x" * MAX_BODY + '"')
