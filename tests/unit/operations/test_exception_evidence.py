"""Evidence as people read it: no empty names, no notation of a programming language."""

from __future__ import annotations

from operations.domain.exception_evidence import stated


def test_what_is_left_open_is_left_out_and_records_are_told_field_by_field() -> None:
    evidence = {
        "ids": {"exec_id": "9F31", "cl_ord_id": "", "venue_order_id": None},
        "event_at": None,
        "currency": "",
        "lines": [4, 9],
        "exposure": "0",
        "nested": [{"account": "AC1"}, {}],
        "nothing": {},
    }
    assert stated(evidence) == [
        ("ids", "exec_id 9F31"),
        ("lines", "4, 9"),
        ("exposure", "0"),
        ("nested", "account AC1"),
    ]
