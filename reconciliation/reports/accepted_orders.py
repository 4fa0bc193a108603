"""Orders that were accepted and have open units for which nothing is under way: no execution can come, and no end.

An order that works at its venue, on a session that is up and within its time in force, has both ways before it and is not
listed. Each order is listed once, under the first of the words that fits. As of now, for orders of the day and older ones that are open.
"""

from __future__ import annotations

from reconciliation.reports.report import BATCH, DATE, OF_UPLOAD, OUTAGE, SEEN, Column, Report, Shape

WORDS = {
    "not_sent": "Accepted by us, and nothing is there that would send it",
    "fate_unknown": "Sent, and nobody knows what became of it: the venue has not answered",
    "time_is_over": "Its time in force has ended, and the venue has not said that it is over",
    "cancel_failed": "Its last cancel was rejected or its fate is unknown",
    "session_down": "The session that carries it is not logged on: neither report nor cancel can pass",
}
STATEMENT = f"""
SELECT w.word, o.ref, a.code, l.symbol, o.side, o.order_qty, o.cum_qty, o.leaves_qty, coalesce(o.session_group, ''),
       coalesce(o.cl_ord_id, ''), coalesce(o.venue_order_id, ''), o.entered_at, w.since,
       CASE w.word
         WHEN 'not_sent' THEN 'Released and never handed over; no message waits to be sent.'
         WHEN 'fate_unknown' THEN 'Handed over and unanswered; asked ' || coalesce(q.attempts, 0) || ' times.'
         WHEN 'time_is_over' THEN 'Good until ' || coalesce(o.expire_at::text, o.expire_date::text,
                                                            coalesce(o.state_date, o.trade_date)::text) || ', and still open.'
         WHEN 'cancel_failed' THEN 'The cancel ' || x.cl_ord_id || ' is ' || x.state
                                   || CASE WHEN x.outcome_text = '' THEN '.' ELSE ': ' || x.outcome_text END
         ELSE 'No session of ' || o.session_group || ' is logged on.' END,
       o.id::text
  FROM orders_order o
  JOIN accounts_tradingaccount a ON a.id = o.account_id
  JOIN refdata_listing l ON l.id = o.listing_id
  JOIN refdata_market m ON m.mic = l.market_id
  JOIN orders_orderrequest n ON n.order_id = o.id AND n.seq = 1
  LEFT JOIN LATERAL (SELECT r.cl_ord_id, r.state, r.outcome_text, r.captured_at FROM orders_orderrequest r
                      WHERE r.order_id = o.id AND r.kind = 'cancel' ORDER BY r.seq DESC LIMIT 1) x ON true
  LEFT JOIN LATERAL (SELECT i.opened_at, i.attempts FROM venues_inquiry i WHERE i.request_id = n.id AND i.state = 'open') q ON true
 CROSS JOIN LATERAL (
    SELECT CASE
        WHEN n.state = 'released' AND NOT EXISTS (SELECT FROM venues_wireintent t
             WHERE t.request_id = n.id AND t.state = 'waiting') THEN 'not_sent'
        WHEN n.state = 'unknown' THEN 'fate_unknown'
        WHEN n.state NOT IN ('accepted', 'handed_over') THEN NULL
        WHEN o.expire_at < %(at)s OR o.expire_date < (%(at)s AT TIME ZONE m.time_zone)::date
             OR (o.time_in_force NOT IN ('1', '6') AND coalesce(o.state_date, o.trade_date) < (%(at)s AT TIME ZONE m.time_zone)::date)
             THEN 'time_is_over'
        WHEN x.state IN ('rejected', 'unknown') THEN 'cancel_failed'
        WHEN o.session_group <> '' AND NOT EXISTS (SELECT FROM venues_fixsession s
             WHERE s."group" = o.session_group AND s.state IN ('logged_on', 'recovering')) THEN 'session_down'
        END AS word,
        CASE WHEN n.state = 'released' THEN coalesce(n.released_at, n.captured_at)
             WHEN n.state = 'unknown' THEN coalesce(q.opened_at, n.handed_over_at)
             ELSE o.updated_at END AS since) w
 WHERE o.is_open AND o.leaves_qty > 0 AND o.trade_date <= %(day)s AND w.word IS NOT NULL
   AND (%(group)s::text IS NULL OR (o.session_group = %(group)s::text
        AND (%(back_at)s::timestamptz IS NULL OR o.entered_at <= %(back_at)s::timestamptz)))
   AND {OF_UPLOAD} AND {SEEN}
"""  # noqa: S608
REPORT = Report(
    name="accepted-orders",
    title="Accepted orders without a way on",
    question="Which accepted orders have open units, and neither an execution nor an end can come of them?",
    words=WORDS,
    columns=(
        Column("word", "Why", Shape.WORD),
        Column("order", "Order", Shape.ORDER),
        Column("account", "Account"),
        Column("symbol", "Symbol"),
        Column("side", "Side", Shape.SIDE),
        Column("order_qty", "Ordered", Shape.NUMBER),
        Column("cum_qty", "Executed", Shape.NUMBER),
        Column("leaves_qty", "Open", Shape.NUMBER),
        Column("session_group", "Session"),
        Column("cl_ord_id", "ClOrdID"),
        Column("venue_order_id", "OrderID"),
        Column("entered_at", "Entered", Shape.MOMENT),
        Column("since", "Since", Shape.MOMENT),
        Column("sentence", "What is known", Shape.SENTENCE),
        Column("order_id", "Id", Shape.ID),
    ),
    statement=STATEMENT,
    order="since, order_id",
    by=(DATE, BATCH, OUTAGE),
)
