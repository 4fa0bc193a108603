"""FIX 4.4 field names in house spelling and their tags: the one table both directions use."""

from __future__ import annotations

from types import MappingProxyType

TAGS = MappingProxyType(
    {
        "account": 1,
        "avg_px": 6,
        "cl_ord_id": 11,
        "cum_qty": 14,
        "currency": 15,
        "exec_id": 17,
        "exec_ref_id": 19,
        "exec_trans_type": 20,
        "security_id_source": 22,
        "last_mkt": 30,
        "last_px": 31,
        "last_qty": 32,
        "msg_seq_num": 34,
        "msg_type": 35,
        "order_id": 37,
        "order_qty": 38,
        "ord_status": 39,
        "ord_type": 40,
        "orig_cl_ord_id": 41,
        "poss_dup_flag": 43,
        "price": 44,
        "ref_seq_num": 45,
        "security_id": 48,
        "side": 54,
        "symbol": 55,
        "text": 58,
        "time_in_force": 59,
        "transact_time": 60,
        "poss_resend": 97,
        "stop_px": 99,
        "cxl_rej_reason": 102,
        "ord_rej_reason": 103,
        "min_qty": 110,
        "max_floor": 111,
        "expire_time": 126,
        "exec_type": 150,
        "leaves_qty": 151,
        "security_exchange": 207,
        "ref_msg_type": 372,
        "exec_restatement_reason": 378,
        "business_reject_ref_id": 379,
        "business_reject_reason": 380,
        "expire_date": 432,
        "cxl_rej_response_to": 434,
        "order_capacity": 528,
        "mass_status_req_id": 584,
        "mass_status_req_type": 585,
        "ord_status_req_id": 790,
        "tot_num_reports": 911,
        "last_rpt_requested": 912,
    }
)
NAMES = MappingProxyType({str(tag): name for name, tag in TAGS.items()})

ECHOED = ("account", "symbol", "security_id", "security_id_source", "security_exchange", "currency", "order_capacity")
