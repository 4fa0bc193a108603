"""Fields of a raw record as people read them."""

from __future__ import annotations

import pytest

from operations.domain.raw_records import read_side, said_as


@pytest.mark.parametrize(
    ("name", "kept", "said"),
    [
        ("side", "2", "2 sell"),
        ("ord_type", "2", "2 limit"),
        ("time_in_force", "0", "0 day"),
        ("ord_status", "4", "4 canceled"),
        ("ord_status", "partially", "partially"),  # a word of theirs is no code
        ("amount", "6000031.66", "6,000,031.66"),
        ("amount", "12x", "12x"),
        ("qty", "-1400", "−1,400"),
        ("account", "4471000", "4471000"),  # a name that looks like a number stays a name
        ("exec_id", "10442", "10442"),
        ("amount", None, ""),
    ],
)
def test_a_code_has_its_word_a_figure_its_thousands_and_a_name_stays(name: str, kept: str | None, said: str) -> None:
    assert said_as(name, kept) == said


def test_the_raw_line_stays_as_it_came() -> None:
    side = read_side({"amount": "1400", "raw": "AC1,1400", "file": "a.csv", "line": 2})
    assert (side.fields, side.raw) == ((("amount", "1,400"),), "AC1,1400")
