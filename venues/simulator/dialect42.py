"""Reports as FIX 4.2 says them: fills by ExecType 1 and 2, busts, corrections and status answers by ExecTransType (20)."""

from __future__ import annotations

from collections.abc import Mapping

BEGIN_STRING = "FIX.4.2"

_TRANS_TYPES = {"H": "1", "G": "2", "I": "3"}
_LAST_ORD_REJ_REASON = 8
_LAST_CXL_REJ_REASON = 3
_UNKNOWN_TO_42 = ("ord_status_req_id", "mass_status_req_id", "tot_num_reports", "last_rpt_requested", "order_capacity")


def to_fix42(report: Mapping[str, str]) -> dict[str, str]:
    """A 4.4 report in 4.2 words. Reject codes 4.2 does not have become 0 (order) and 2 (request)."""
    said = {name: value for name, value in report.items() if name not in _UNKNOWN_TO_42}
    if int(said.get("ord_rej_reason", "0")) > _LAST_ORD_REJ_REASON:
        said["ord_rej_reason"] = "0"
    if int(said.get("cxl_rej_reason", "0")) > _LAST_CXL_REJ_REASON:
        said["cxl_rej_reason"] = "2"
    if said["msg_type"] != "8":
        return said
    kind = said["exec_type"]
    said["exec_trans_type"] = _TRANS_TYPES.get(kind, "0")
    if kind == "F":
        said["exec_type"] = "2" if said["leaves_qty"] == "0" else "1"
    elif kind in _TRANS_TYPES:
        said["exec_type"] = said["ord_status"]
    return said
