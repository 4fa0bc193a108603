"""A scheme as it is asked for: what is read, and everything that is refused, each by its own code and field."""

from __future__ import annotations

from typing import Any

import pytest

from allocations.domain.schemes import read_scheme
from kernel.errors import Invalid

WEIGHTS = [{"account": "C1", "weight": "2"}, {"account": "C2", "weight": "1"}]
GOOD: dict[str, Any] = {
    "code": " by-size ", "name": " By size ", "desk": "EQ1", "method": "weights", "lines": WEIGHTS, "parameters": {},
    "wash_account": "WASH", "strategy": "", "books_alone": True,
}  # fmt: skip


def lines(key: str, *rows: tuple[str, str] | tuple[str, str, str]) -> list[dict[str, str]]:
    return [{"account": row[0], key: row[1]} | ({"min_qty": row[2]} if len(row) == 3 else {}) for row in rows]


def test_it_is_read_into_its_plain_form_and_reads_as_itself() -> None:
    read = read_scheme(GOOD)
    assert (read["code"], read["name"], read["books_alone"]) == ("BY-SIZE", "By size", True)
    assert read_scheme(read) == read
    spelled = read_scheme(GOOD | {"lines": lines("weight", ("C1", "2.00"), ("C2", "01"))})
    assert spelled["lines"] == WEIGHTS
    rotation = {"method": "rotation", "lines": lines("turn", ("C1", "100"), ("C2", "0")), "parameters": {"lot": "100"}}
    assert read_scheme(GOOD | rotation)["parameters"] == {"lot": "100"}
    position = {"method": "target_position", "lines": lines("target", ("C1", "-100"))}
    assert read_scheme(GOOD | position)["lines"] == [{"account": "C1", "target": "-100"}]


@pytest.mark.parametrize(
    ("change", "code", "field"),
    [
        ({"code": "x"}, "SCHEME_INVALID", "code"),
        ({"code": "A" * 25}, "SCHEME_INVALID", "code"),
        ({"code": "A/B"}, "SCHEME_INVALID", "code"),
        ({"code": 7}, "SCHEME_INVALID", "code"),
        ({"name": " "}, "SCHEME_INVALID", "name"),
        ({"name": "n" * 81}, "SCHEME_INVALID", "name"),
        ({"name": "a\nb"}, "SCHEME_INVALID", "name"),
        ({"owner": "me"}, "SCHEME_INVALID", "owner"),
        ({"method": "guess"}, "METHOD_UNKNOWN", None),
        ({"method": "manual", "lines": lines("qty", ("C1", "1"))}, "SCHEME_INVALID", "method"),
        ({"lines": []}, "SCHEME_INVALID", "lines"),
        ({"lines": lines("percent", ("C1", "1"))}, "LINES_INVALID", "lines.1"),
        ({"lines": [{"account": "C1", "weight": 2}]}, "LINES_INVALID", "lines.1"),
        ({"lines": [*WEIGHTS, WEIGHTS[0]]}, "DUPLICATE_ACCOUNT", "lines.1"),
        ({"lines": lines("weight", ("C1", "1"), ("C2", "-1"))}, "AMOUNT_NEGATIVE", "lines.2"),
        ({"lines": lines("weight", ("C1", "0.000000001"))}, "AMOUNT_TOO_FINE", "lines.1"),
        ({"lines": lines("weight", ("C1", "0"), ("C2", "0"))}, "NOTHING_CLAIMED", "lines"),
        ({"method": "percentage", "lines": lines("percent", ("C1", "60"), ("C2", "39.9"))}, "PERCENT_NOT_100", "lines"),
        ({"method": "percentage", "lines": lines("percent", ("C1", "60"), ("C2", "40.1"))}, "PERCENT_NOT_100", "lines"),
        ({"method": "pro_rata", "lines": lines("target", ("C1", "90", "100"))}, "TARGET_BELOW_MINIMUM", "lines.1"),
        ({"method": "fixed", "lines": lines("qty", ("C1", "90", "100"))}, "TARGET_BELOW_MINIMUM", "lines.1"),
        ({"method": "fixed", "lines": lines("qty", ("C1", "150")), "parameters": {"lot": "100"}}, "NOT_WHOLE_LOTS", "lines.1"),
        ({"method": "rotation", "lines": lines("turn", ("C1", "0"))}, "TURN_NOT_SET", None),
        ({"method": "rotation", "lines": lines("turn", ("C1", "50")), "parameters": {"lot": "100"}}, "NOT_WHOLE_LOTS", "lines.1"),
        ({"parameters": {"lot": "0"}}, "PARAMETERS_INVALID", "lot"),
        ({"parameters": {"tie_break": "mine"}}, "PARAMETERS_INVALID", "tie_break"),
        ({"wash_account": ""}, "SCHEME_INVALID", "books_alone"),
        ({"wash_account": "", "books_alone": False, "strategy": "VWAP"}, "SCHEME_INVALID", "strategy"),
        ({"strategy": "s" * 41}, "SCHEME_INVALID", "strategy"),
        ({"books_alone": "yes"}, "SCHEME_INVALID", "books_alone"),
    ],
)  # fmt: skip
def test_what_cannot_divide_any_block_is_refused(change: dict[str, Any], code: str, field: str | None) -> None:
    with pytest.raises(Invalid) as told:
        read_scheme(GOOD | change)
    assert told.value.code == code
    assert field is None or field in told.value.fields
    assert told.value.sentence


def test_what_a_parameter_allows_is_no_fault() -> None:
    small = {
        "method": "pro_rata",
        "lines": lines("target", ("C1", "90", "100")),
        "parameters": {"below_minimum": "ignore"},
    }
    assert read_scheme(GOOD | small)["lines"][0]["min_qty"] == "100"
    whole = {"method": "percentage", "lines": lines("percent", ("C1", "33.3"), ("C2", "66.7"))}
    assert read_scheme(GOOD | whole)["method"] == "percentage"
