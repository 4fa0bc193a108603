"""Schemes as JSON, there and back; what cannot be read says where and why."""

from __future__ import annotations

from decimal import Decimal as D
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allocations.domain.lines import RotationMark, Rules
from allocations.domain.methods import (
    Parameters,
    StatedLine,
    lines_to_json,
    mark_from_json,
    mark_to_json,
    parameters_to_json,
    read_lines,
    read_method,
    read_parameters,
)
from allocations.domain.words import BelowMinimum, Method, PartialFill
from kernel.errors import Invalid
from tests.unit.allocations.blocks import account

AMOUNTS = st.decimals("0", "1000000", places=4)
LINES = st.builds(StatedLine, st.text("ABC123", min_size=1), AMOUNTS, AMOUNTS, st.booleans())
PARAMETERS = st.builds(
    Parameters,
    st.builds(
        Rules,
        partial=st.sampled_from(PartialFill),
        below_minimum=st.sampled_from(BelowMinimum),
        house_needed=st.booleans(),
        price_places=st.none() | st.integers(0, 12),
    ),
    st.none() | st.decimals("0.0001", "1000", places=4),
)


@given(st.sampled_from(Method), st.lists(LINES, max_size=4))
def test_lines_come_back(method: Method, lines: list[StatedLine]) -> None:
    assert list(read_lines(method, lines_to_json(method, lines))) == lines


@given(PARAMETERS)
def test_parameters_come_back(parameters: Parameters) -> None:
    assert read_parameters(parameters_to_json(parameters)) == parameters


def test_what_is_the_default_is_not_said() -> None:
    assert parameters_to_json(read_parameters({})) == {}


def test_a_mark_comes_back() -> None:
    mark = RotationMark(4, account(9), D("150.5"))
    assert mark_from_json(mark_to_json(mark)) == mark


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        ("AC1", "A line is an object."),
        ({"target": "1"}, "The account is missing."),
        ({"account": "AC1", "target": 1.5}, "target is a number as text."),
        ({"account": "AC1", "target": "1e999999"}, "target is a number as text."),
        ({"account": "AC1", "target": "x"}, "target is a number as text."),
        ({"account": "AC1", "percent": "50"}, "A line of this method has no percent."),
        ({"account": "AC1", "target": "1", "house": "yes"}, "house is true or false."),
    ],
)
def test_a_line_that_cannot_be_read_is_named(row: Any, sentence: str) -> None:
    with pytest.raises(Invalid) as caught:
        read_lines(Method.PRO_RATA, [{"account": "AC0", "target": "1"}, row])
    assert caught.value.code == "LINES_INVALID"
    assert caught.value.fields == {"lines.2": [sentence]}


@pytest.mark.parametrize(
    ("body", "name"),
    [
        ({"seed": "7"}, "seed"),
        ({"lot": "0"}, "lot"),
        ({"lot": 1}, "lot"),
        ({"lot": "0.000000001"}, "lot"),
        ({"price_places": 13}, "price_places"),
        ({"price_places": True}, "price_places"),
        ({"price_places": "2"}, "price_places"),
        ({"partial": "favourites"}, "partial"),
        ({"below_minimum": ""}, "below_minimum"),
        ({"house_needed": 1}, "house_needed"),
    ],
)
def test_a_parameter_that_cannot_be_read_is_named(body: dict[str, Any], name: str) -> None:
    with pytest.raises(Invalid) as caught:
        read_parameters(body)
    assert list(caught.value.fields) == [name]


def test_a_method_that_is_none() -> None:
    with pytest.raises(Invalid, match="METHOD_UNKNOWN"):
        read_method("best_for_me")
    assert read_method("rotation") is Method.ROTATION
