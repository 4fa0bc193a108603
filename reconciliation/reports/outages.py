"""What each loss of a session cost: its time, the numbers the venue used meanwhile, which of them came after all, what of our
requests and orders was in doubt.

An outage begins with the loss (or with a gateway that takes over from one that died) and ends with the next logon. Messages
are missing by number: the venue's logon says how far it had counted, and what is stored of the numbers between is recovered;
a gap fill of the venue says that nothing was there. Where the numbers began anew, only the comparison of open orders tells.
"""

from __future__ import annotations

from reconciliation.reports.report import BATCH, DATE, OUTAGE, SEEN, Column, Report, Shape

WORDS = {
    "outage": "The session was not there",
    "missing": "Numbers that the venue used and that never came",
    "recovered": "Numbers that came after the session was back",
    "renumbered": "The numbers began anew: what was sent meanwhile cannot be told by number",
    "uncounted": "No numbers were kept with this outage",
    "unknown": "A request whose fate was not known",
    "late_fill": "An execution that happened meanwhile and was reported afterwards",
    "difference": "An order about which venue and house did not agree afterwards",
}
OUTAGES = """
SELECT * FROM (
    SELECT t.session, t.seq, t.kind, t.event_at AS lost_at, t.payload ->> 'epoch' AS epoch, (t.payload ->> 'next_in')::bigint AS first,
           b.event_at AS back_at, b.payload ->> 'epoch' AS back_epoch, (b.payload ->> 'next_in')::bigint AS back_next,
           coalesce(b.again_at, 'infinity') AS until, s."group"
      FROM (SELECT split_part(stream, ':', 2) AS session, stream, seq, kind, event_at, payload,
                   lag(kind) OVER (PARTITION BY stream ORDER BY seq) AS before
              FROM journal_event
             WHERE split_part(stream, ':', 1) = 'session' AND NOT stream LIKE 'order:%%'
               AND kind IN ('SessionLost', 'SessionLoggedOn', 'SessionTakenOver')) t
      JOIN venues_fixsession s ON s.name = t.session
      LEFT JOIN LATERAL (
        SELECT j.event_at, j.payload, (SELECT min(k.event_at) FROM journal_event k WHERE k.stream = t.stream AND k.seq > j.seq
                                          AND k.kind IN ('SessionLost', 'SessionTakenOver')) AS again_at
          FROM journal_event j WHERE j.stream = t.stream AND j.seq > t.seq AND j.kind = 'SessionLoggedOn'
         ORDER BY j.seq LIMIT 1) b ON true
     WHERE t.kind <> 'SessionLoggedOn' AND t.before = 'SessionLoggedOn') outage
"""
"""Every outage there was: begun by the first loss or takeover after a logon, which its session and number in the stream name."""
STATEMENT = f"""
WITH outages AS MATERIALIZED (
    SELECT o.*, o.session || ':' || o.seq AS ref,
           (SELECT min(w.msg_seq_num) FROM venues_wiremessage w
             WHERE w.session = o.session AND w.epoch = o.epoch AND w.direction = 'in' AND w.msg_type = 'A' AND NOT w.poss_dup
               AND w.msg_seq_num >= o.first AND w.msg_seq_num < o.back_next) AS logon
      FROM ({OUTAGES}) o
     WHERE (%(outage)s::text IS NULL AND (o.lost_at AT TIME ZONE 'UTC')::date <= %(day)s
            AND (o.back_at IS NULL OR (o.back_at AT TIME ZONE 'UTC')::date >= %(day)s))
        OR o.session || ':' || o.seq = %(outage)s::text
), came AS (
    SELECT o.ref, w.msg_seq_num AS number, w.recorded_at,
           CASE WHEN w.msg_type = '4' THEN coalesce(substring(w.raw FROM E'\\x0136=([0-9]+)\\x01')::bigint, w.msg_seq_num + 1)
                ELSE w.msg_seq_num + 1 END AS after
      FROM outages o JOIN venues_wiremessage w ON w.session = o.session AND w.epoch = o.epoch AND w.direction = 'in'
       AND w.msg_seq_num >= o.first AND w.msg_seq_num < o.logon
     WHERE o.back_epoch = o.epoch
), steps AS (
    SELECT c.ref, c.number, coalesce(max(c.after) OVER (PARTITION BY c.ref ORDER BY c.number, c.after
               ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), o.first) AS expected
      FROM (SELECT ref, number, after FROM came UNION ALL
            SELECT ref, logon, logon + 1 FROM outages WHERE back_epoch = epoch AND logon IS NOT NULL) c
      JOIN outages o ON o.ref = c.ref
), told AS (
    SELECT 'outage' AS word, o.ref, o.lost_at AS at, NULL::bigint AS first, NULL::bigint AS last, NULL::bigint AS count,
           NULL::uuid AS order_id, '' AS name, '' AS outcome, o.back_at AS ended_at,
           CASE WHEN o.kind = 'SessionTakenOver' THEN 'A gateway took over from one that had ended.' ELSE 'The session was lost.' END
           || CASE WHEN o.back_at IS NULL THEN ' It is not back.'
                   ELSE ' It was back after ' || date_trunc('milliseconds', o.back_at - o.lost_at) || '.' END
           || coalesce(' ' || r.orders || ' open orders were compared, ' || r.differences || ' differed (' || r.state || ').', '')
           AS sentence
      FROM outages o LEFT JOIN LATERAL (
        SELECT r.orders, r.differences, r.state FROM venues_recovery r
         WHERE r.session = o.session AND r.started_at >= o.back_at AND r.started_at < o.until ORDER BY r.started_at LIMIT 1) r ON true
    UNION ALL
    SELECT 'missing', s.ref, o.lost_at, s.expected, s.number - 1, s.number - s.expected, NULL, '', '', o.back_at,
           'The venue counted these before it logged on again; none of them is stored.'
      FROM steps s JOIN outages o ON o.ref = s.ref WHERE s.number > s.expected
    UNION ALL
    SELECT 'recovered', c.ref, min(c.recorded_at), min(c.number), max(c.after) - 1, count(*), NULL, '', '', max(c.recorded_at),
           'Sent again by the venue, or told by it to be nothing, after the logon.' FROM came c GROUP BY c.ref
    UNION ALL
    SELECT CASE WHEN o.back_epoch <> o.epoch THEN 'renumbered' ELSE 'uncounted' END, o.ref, o.back_at, o.first,
           NULL, NULL, NULL, '', '', NULL,
           CASE WHEN o.back_epoch <> o.epoch THEN 'The epoch changed from ' || o.epoch || ' to ' || o.back_epoch || '.'
                ELSE 'Neither the loss nor the logon says which number was expected.' END
      FROM outages o WHERE o.back_at IS NOT NULL AND (o.back_epoch IS DISTINCT FROM o.epoch OR o.first IS NULL OR o.back_next IS NULL)
    UNION ALL
    SELECT 'unknown', o.ref, i.opened_at, NULL, NULL, i.attempts, i.order_id, i.cl_ord_id, i.outcome, i.closed_at, i.reason
      FROM outages o JOIN venues_inquiry i ON i.session = o.session AND i.opened_at >= o.lost_at
       AND i.opened_at <= coalesce(o.back_at, 'infinity')
    UNION ALL
    SELECT 'late_fill', o.ref, x.event_at, NULL, NULL, NULL, x.order_id, x.exec_id, '', x.received_at,
           'Executed ' || trim_scale(x.last_qty) || ' at ' || trim_scale(x.last_px) || ' while the session was down.'
      FROM outages o JOIN orders_order d ON d.session_group = o."group"
      JOIN orders_execution x ON x.order_id = d.id AND x.event_at >= o.lost_at AND x.event_at < o.back_at AND x.received_at >= o.back_at
    UNION ALL
    SELECT 'difference', o.ref, f.found_at, NULL, NULL, f.attempts, f.order_id, coalesce(nullif(f.cl_ord_id, ''), f.venue_order_id),
           f.kind, f.resolved_at, CASE WHEN f.resolution = '' THEN 'Nobody has settled it.' ELSE f.resolution END
      FROM outages o JOIN venues_recoverydifference f ON f.session = o.session AND f.found_at >= o.back_at AND f.found_at < o.until
)
SELECT t.word, t.ref, t.at, t.ended_at, t.first, t.last, t.count, coalesce(o.ref, ''), t.name, t.outcome, t.sentence,
       coalesce(t.order_id::text, '')
  FROM told t LEFT JOIN orders_order o ON o.id = t.order_id LEFT JOIN accounts_tradingaccount a ON a.id = o.account_id
 WHERE CASE WHEN t.order_id IS NOT NULL THEN o.id IS NOT NULL AND {SEEN}
            ELSE t.word <> 'difference' OR %(totals)s::boolean END
"""  # noqa: S608
REPORT = Report(
    name="outages",
    title="Messages missing in outages",
    question="Which messages did each outage of a session cost, and which of them came after all?",
    words=WORDS,
    columns=(
        Column("word", "What", Shape.WORD),
        Column("outage", "Outage"),
        Column("at", "From", Shape.MOMENT),
        Column("ended_at", "Until", Shape.MOMENT),
        Column("first", "First number", Shape.COUNT),
        Column("last", "Last number", Shape.COUNT),
        Column("count", "Count", Shape.COUNT),
        Column("order", "Order", Shape.ORDER),
        Column("name", "ClOrdID or ExecID"),
        Column("outcome", "Outcome"),
        Column("sentence", "What is known", Shape.SENTENCE),
        Column("order_id", "Id", Shape.ID),
    ),
    statement=STATEMENT,
    order="outage, word <> 'outage', \"at\", word, first, name, order_id",
    by=(DATE, OUTAGE),
    good=frozenset(["outage", "recovered"]),
)
assert BATCH not in REPORT.by, "an outage is of a session, whatever files and runs there are"
