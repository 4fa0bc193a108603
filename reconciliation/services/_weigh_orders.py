"""A venue's list of open orders against our open orders: nothing is booked by it, and absence proves nothing.

Rows are found by our names of requests (any of the lineage) and the venue's name of the order, never by economics. What differs
is for a person: an order that is missing there may have been filled, canceled or never arrived; executions and the reconciliation
of orders tell.
"""

from __future__ import annotations

from typing import Any

from reconciliation.domain.intake_rules import LINES_KEPT, Issue, issue
from reconciliation.staging import Staged

_FOUND = """
CREATE TEMP TABLE intake_row ON COMMIT DROP AS
SELECT s.line, coalesce(s.cl_ord_id, s.venue_order_id, '') AS account, o.id AS order_id, o.ref,
       CASE WHEN o.id IS NULL THEN 'ORDER_UNKNOWN' WHEN NOT o.is_open THEN 'ORDER_NOT_OPEN'
            WHEN s.order_qty <> o.order_qty OR s.cum_qty <> o.cum_qty OR s.leaves_qty <> o.leaves_qty THEN 'ORDER_DIFFERS'
            END AS rule
  FROM {staged} s
  LEFT JOIN orders_orderrequest q ON q.cl_ord_id = s.cl_ord_id
  LEFT JOIN LATERAL (SELECT v.* FROM orders_order v WHERE v.id = q.order_id
                      UNION ALL
                     SELECT v.* FROM orders_order v
                      WHERE q.id IS NULL AND s.venue_order_id IS NOT NULL AND v.venue_order_id = s.venue_order_id
                        AND (s.mic IS NULL OR EXISTS (
                            SELECT FROM refdata_listing l WHERE l.id = v.listing_id AND l.market_id = s.mic)) LIMIT 1) o ON true
"""
_BROKEN = f"""
SELECT rule, count(*), (array_agg(line ORDER BY line))[1:{LINES_KEPT}],
       (array_agg(coalesce(ref, account) ORDER BY line))[1:{LINES_KEPT}]
  FROM intake_row WHERE rule IS NOT NULL GROUP BY rule ORDER BY rule
"""  # noqa: S608
_NOT_LISTED = f"""
SELECT count(*), (array_agg(o.ref ORDER BY o.id))[1:{LINES_KEPT}] FROM orders_order o
 WHERE o.is_open AND o.ord_status IS NOT NULL AND EXISTS (SELECT FROM refdata_listing l
                WHERE l.id = o.listing_id AND l.market_id IN (SELECT mic FROM {{staged}}))
   AND NOT EXISTS (SELECT FROM intake_row r WHERE r.order_id = o.id)
"""  # noqa: S608


def weigh_order_rows(cursor: Any, staged: Staged) -> tuple[list[Issue], int]:
    """Issues, and how many orders agree."""
    cursor.execute("DROP TABLE IF EXISTS intake_row")
    cursor.execute(_FOUND.format(staged=staged.table))
    cursor.execute(_BROKEN)
    issues = [issue(code, count, zip(lines, shown, strict=True)) for code, count, lines, shown in cursor.fetchall()]
    cursor.execute(_NOT_LISTED.format(staged=staged.table))
    count, refs = cursor.fetchall()[0]
    if count:
        issues.append(issue("ORDER_NOT_LISTED", count, [(0, ref) for ref in refs]))
    cursor.execute("SELECT count(*) FROM intake_row WHERE rule IS NULL")
    return issues, int(cursor.fetchall()[0][0])
