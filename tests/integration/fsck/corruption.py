"""What a planted corruption is, and what several of them are planted on: an order, the time, a line that is up, a difference."""

from __future__ import annotations

from typing import NamedTuple


class Corruption(NamedTuple):
    """``sql`` may be several statements."""

    code: str
    name: str
    sql: str
    related: tuple[str, ...] = ()


LIVE = "(SELECT id FROM orders_order WHERE cum_qty = 300 AND is_open ORDER BY id DESC LIMIT 1)"
NOW = "current_setting('oms.fsck_at')::timestamptz"
LINE_UP = f"UPDATE venues_fixsession SET last_in_at = {NOW} WHERE name = 'T1-A'"
RECOVERY = (
    "id, session, session_group, epoch, fence, state, reason, mass, questions, received, orders, differences, started_at, "
    "opened_by, opened_reason, finished_at"
)
DIFFERENCE = f"""INSERT INTO venues_recovery ({RECOVERY}) VALUES ('00000000-0000-7000-8000-000000000001', 'T1-A', 'T1', 'E1', 0,
    'different', '', true, 0, 0, 0, 1, {NOW}, '', '', {NOW});
    INSERT INTO venues_recoverydifference (recovery_id, session, kind, order_id, account_id, cl_ord_id, venue_order_id, ours,
    theirs, attempts, next_at, found_at, resolution) SELECT '00000000-0000-7000-8000-000000000001', 'T1-A', 'terms', NULL,
    {{account}}, 'X', 'V-X', '{{{{}}}}', '{{{{}}}}', 0, {NOW}, {{found}}, ''"""
