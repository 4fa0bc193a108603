"""What FIX 4.2 calls the reports of 4.4."""

from __future__ import annotations

import pytest

from venues.simulator.dialect42 import to_fix42


@pytest.mark.parametrize(
    ("exec_type", "status", "leaves", "expected"),
    [
        ("0", "0", "100", ("0", "0")),
        ("F", "1", "50", ("1", "0")),
        ("F", "2", "0", ("2", "0")),
        ("H", "1", "50", ("1", "1")),
        ("G", "1", "50", ("1", "2")),
        ("I", "4", "0", ("4", "3")),
        ("5", "1", "50", ("5", "0")),
    ],
)
def test_exec_types(exec_type: str, status: str, leaves: str, expected: tuple[str, str]) -> None:
    said = to_fix42({"msg_type": "8", "exec_type": exec_type, "ord_status": status, "leaves_qty": leaves})
    assert (said["exec_type"], said["exec_trans_type"]) == expected


def test_codes_and_fields_it_does_not_know_are_left_out() -> None:
    said = to_fix42({"msg_type": "9", "cxl_rej_reason": "6", "ord_status": "0", "order_capacity": "A"})
    assert said == {"msg_type": "9", "cxl_rej_reason": "2", "ord_status": "0"}
    report = {"msg_type": "8", "exec_type": "8", "ord_status": "8", "leaves_qty": "0", "ord_rej_reason": "13"}
    assert to_fix42(report)["ord_rej_reason"] == "0"
