"""Which sequence numbers a restarted or taken-over session goes on with."""

from __future__ import annotations

import pytest

from venues.domain.session_numbers import StoredNumbers, expected_by_venue, number_after, numbers_to_use


def test_the_number_after_a_message_and_after_a_gap_fill() -> None:
    assert number_after("35=8\x0134=7\x01") == 8
    assert number_after("35=4\x0134=7\x01123=Y\x0136=40\x01") == 40


def test_inbound_the_tables_decide_even_when_the_file_is_ahead() -> None:
    used = numbers_to_use(StoredNumbers(next_in=5, next_out=9), file_out=12, had_file=True)
    assert used == StoredNumbers(next_in=5, next_out=12)


def test_outbound_the_higher_number_counts() -> None:
    used = numbers_to_use(StoredNumbers(next_in=5, next_out=20), file_out=12, had_file=True)
    assert used == StoredNumbers(next_in=5, next_out=20)


def test_without_the_file_a_margin_covers_what_was_not_stored() -> None:
    used = numbers_to_use(StoredNumbers(next_in=5, next_out=20), file_out=1, had_file=False)
    assert used == StoredNumbers(next_in=5, next_out=120)


def test_a_first_start_begins_at_one() -> None:
    assert numbers_to_use(StoredNumbers(1, 1), file_out=1, had_file=False) == StoredNumbers(1, 1)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("MsgSeqNum too low, expecting 52 but received 7", 52),
        ("MsgSeqNum(34) too low, expecting 3 but received 1", 3),
        ("normal logout", None),
        ("too low, expecting soon", None),
    ],
)
def test_the_number_a_venue_says_it_expects(text: str, number: int | None) -> None:
    assert expected_by_venue(text) == number
