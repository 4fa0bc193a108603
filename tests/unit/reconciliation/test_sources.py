"""A file that does not say whose word it is goes by its name: two senders never share one."""

from __future__ import annotations

import pytest

from reconciliation.domain.sources import LONGEST, is_derived, source_of_name


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("Broker_A_fills-2026-11-25.csv", "file-broker-a-fills"),
        ("broker-a fills 20261126 (1).csv", "file-broker-a-fills"),
        ("broker_a_fills_v2_corrected.csv.txt", "file-broker-a-fills"),
        ("broker_b_fills-2026-11-25.csv", "file-broker-b-fills"),
        ("/tmp/x/../drop\\Émetteur 7.csv", "file-émetteur"),
        ("20261125.csv", "file-unnamed"),
        (".csv", "file-csv"),
        ("", "file-unnamed"),
        ("v2.csv", "file-unnamed"),
    ],
)
def test_days_numbers_and_words_of_sending_again_say_nothing_of_a_sender(name: str, source: str) -> None:
    assert source_of_name(name) == source
    assert is_derived(source)


def test_it_fits_and_what_somebody_said_is_not_taken_for_it() -> None:
    assert len(source_of_name("a" * 200)) == LONGEST
    assert not any(is_derived(source) for source in ("XLON", "BANK", "EXTERNAL", ""))
