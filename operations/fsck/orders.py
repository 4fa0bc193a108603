"""Level 2: every order is what was asked, what was said of it, and nothing else."""

from __future__ import annotations

from operations.fsck.check import Check, Level
from operations.fsck.order_facts import differing_facts
from operations.fsck.snapshot import AT

_LOST = """
SELECT e.stream AS subject, 'was captured; there is no such order' AS what
  FROM journal_event e
 WHERE e.seq = 1 AND e.stream LIKE 'order:%'
   AND NOT EXISTS (SELECT FROM orders_order o WHERE 'order:' || o.id = e.stream)
UNION ALL
SELECT 'request ' || r.cl_ord_id, format('belongs to order %s, which does not exist', r.order_id)
  FROM orders_orderrequest r WHERE NOT EXISTS (SELECT FROM orders_order o WHERE o.id = r.order_id)
"""

_UNCAPTURED = """
SELECT o.ref AS subject, 'has no event that captured it' AS what
  FROM orders_order o
  LEFT JOIN journal_event e ON e.stream = 'order:' || o.id AND e.seq = 1
 WHERE e.kind IS NULL OR e.kind NOT IN ('OrderCaptured', 'OrderPhoned')
"""

# One order: an object. A batch: a list of rows, each with the answer of its order under "result".
_ANSWERS = """
WITH given AS (
     SELECT k.principal, k.key, a.answer
       FROM journal_idempotencykey k
      CROSS JOIN LATERAL (
            SELECT k.answer AS answer WHERE jsonb_typeof(k.answer) = 'object'
            UNION ALL
            SELECT one -> 'result' FROM jsonb_array_elements(
                   CASE jsonb_typeof(k.answer) WHEN 'array' THEN k.answer ELSE '[]' END) AS one
      ) AS a
      WHERE a.answer ->> 'request_id' IS NOT NULL
)
SELECT format('key %s of %s', g.key, g.principal) AS subject,
       format('was answered with order %s, request %s, which do not exist', g.answer ->> 'order_id',
              g.answer ->> 'request_id') AS what
  FROM given g
  LEFT JOIN orders_orderrequest r ON r.id = (g.answer ->> 'request_id')::uuid
 WHERE r.order_id IS DISTINCT FROM (g.answer ->> 'order_id')::uuid
"""

_REQUESTLESS = """
SELECT o.ref AS subject, 'was not phoned and nobody asked for it' AS what
  FROM orders_order o
  LEFT JOIN orders_orderrequest r ON r.order_id = o.id AND r.seq = 1 AND r.kind = 'new'
 WHERE o.source <> 'phone' AND r.id IS NULL
"""

_REQUEST_NUMBERS = """
SELECT o.ref AS subject, format('has %s requests up to number %s and says %s', coalesce(r.n, 0), coalesce(r.last, 0),
       o.last_request_seq) AS what
  FROM orders_order o
  LEFT JOIN (SELECT order_id, count(*) AS n, max(seq) AS last FROM orders_orderrequest GROUP BY order_id) r
    ON r.order_id = o.id
 WHERE coalesce(r.n, 0) <> o.last_request_seq OR coalesce(r.last, 0) <> o.last_request_seq
"""

_LINEAGE = """
SELECT r.cl_ord_id AS subject, format('replaces or cancels %s, which is no earlier name of its order', r.orig_cl_ord_id) AS what
  FROM orders_orderrequest r
  LEFT JOIN orders_orderrequest p ON p.cl_ord_id = r.orig_cl_ord_id AND p.order_id = r.order_id AND p.seq < r.seq
 WHERE r.orig_cl_ord_id IS NOT NULL AND p.id IS NULL
   AND NOT EXISTS (SELECT FROM orders_order o WHERE o.id = r.order_id
                      AND strpos(o.facts::text, '"' || r.orig_cl_ord_id || '"') > 0)
"""

_TREES = """
SELECT o.ref AS subject, CASE WHEN o.replaces_id IS NOT NULL THEN 'has another root than the order it replaces'
       WHEN o.parent_id IS NULL THEN 'has no parent and another root than itself'
       WHEN p.id IS NULL THEN format('has a parent %s that does not exist', o.parent_id)
       ELSE 'has another root than its parent' END AS what
  FROM orders_order o LEFT JOIN orders_order p ON p.id = coalesce(o.replaces_id, o.parent_id)
 WHERE o.root_id IS DISTINCT FROM CASE WHEN coalesce(o.replaces_id, o.parent_id) IS NULL THEN o.id ELSE p.root_id END
"""

# A staged replace waits for the venue, or it has ended: entered as one other order that says so, or given up.
_STAGED = f"""
SELECT r.cl_ord_id AS subject, CASE WHEN r.state = 'accepted' THEN 'was entered anew, and no order stands in its place'
       WHEN r.state NOT IN ('released', 'accepted', 'refused', 'withdrawn') THEN 'is ' || r.state || ', which it never is'
       WHEN c.id IS NULL THEN 'waits for a cancel that nobody asked for'
       ELSE format('waits since %s; its order is %s and the cancel %s', r.captured_at,
                   CASE WHEN o.is_open THEN 'open' ELSE 'over' END, c.state) END AS what
  FROM orders_orderrequest r
  JOIN orders_order o ON o.id = r.order_id
  LEFT JOIN LATERAL (SELECT id, state, answered_at FROM orders_orderrequest c WHERE c.order_id = r.order_id
                        AND c.kind = 'cancel' AND c.seq > r.seq ORDER BY c.seq LIMIT 1) c ON true
 WHERE r.kind = 'replace' AND r.payload ->> 'staged' = 'true' AND (
       (r.state = 'accepted' AND NOT EXISTS (SELECT FROM orders_order n WHERE n.replaces_id = o.id))
    OR r.state NOT IN ('released', 'accepted', 'refused', 'withdrawn')
    OR (r.state = 'released' AND c.id IS NULL)
    OR (r.state = 'released' AND NOT o.is_open AND o.updated_at < {AT} - interval '300 seconds')
    OR (r.state = 'released' AND c.state IN ('refused', 'withdrawn', 'rejected')
        AND c.answered_at < {AT} - interval '300 seconds'))
UNION ALL
SELECT n.ref, 'stands in the place of an order that was not staged for it'
  FROM orders_order n
 WHERE n.replaces_id IS NOT NULL AND NOT EXISTS (
       SELECT FROM orders_orderrequest r WHERE r.order_id = n.replaces_id AND r.payload ->> 'staged' = 'true'
          AND r.state IN ('accepted', 'refused'))
"""

# What each event makes of the request it names; the last one in the stream decides.
STATES_SAID = (
    ("OrderReleased", "released"), ("ReplaceReleased", "released"), ("CancelReleased", "released"),
    ("ReplaceStaged", "released"), ("ReplaceEnteredAnew", "accepted"),
    ("OrderHeld", "pending_authorisation"), ("ReplaceHeld", "pending_authorisation"),
    ("OrderRefused", "refused"), ("ReplaceRefused", "refused"), ("RequestNotSent", "refused"),
    ("RequestDeclined", "declined"), ("RequestLapsed", "lapsed"), ("RequestWithdrawn", "withdrawn"),
    ("RequestHandedOver", "handed_over"), ("RequestUnknown", "unknown"),
    ("RequestAccepted", "accepted"), ("RequestRejected", "rejected"),
)  # fmt: skip
_SAID = ", ".join(f"('{kind}', {place}, '{state}')" for place, (kind, state) in enumerate(STATES_SAID))

_REQUEST_STATES = f"""
WITH said(kind, place, state) AS (VALUES {_SAID}
), last AS (
     SELECT (e.payload ->> 'request_id')::uuid AS request_id, max(e.seq::bigint * 32 + s.place) AS word
       FROM journal_event e JOIN said s ON s.kind = e.kind GROUP BY 1
)
SELECT r.cl_ord_id AS subject, format('is %s; the last event about it says %s', r.state, coalesce(s.state, 'nothing')) AS what
  FROM orders_orderrequest r
  LEFT JOIN last l ON l.request_id = r.id
  LEFT JOIN said s ON s.place = l.word % 32
 WHERE s.state IS DISTINCT FROM r.state
"""

_SHOWN_STATES = """
SELECT o.ref AS subject, format('shows %s; its requests say %s', o.request_state, r.state) AS what
  FROM orders_order o
  JOIN (SELECT order_id, CASE WHEN bool_or(state = 'unknown') THEN 'unknown'
                         ELSE max(state) FILTER (WHERE kind = 'new') END AS state
          FROM orders_orderrequest GROUP BY order_id) r ON r.order_id = o.id
 WHERE o.request_state <> r.state
"""

# Averages are rounded half-even to 10 places, so they may differ from the exact one by half of the last place at most.
_FILLS = """
SELECT o.ref AS subject, format('says %s executed at %s; its executions are %s with a value of %s', o.cum_qty, o.avg_px,
       coalesce(x.qty, 0), coalesce(x.value, 0)) AS what
  FROM orders_order o
  LEFT JOIN (SELECT order_id, sum(coalesce(stated_qty, effective_qty)) AS qty,
                    sum(coalesce(stated_qty, effective_qty) * coalesce(stated_px, effective_px)) AS value
               FROM orders_execution GROUP BY order_id) x ON x.order_id = o.id
 WHERE o.cum_qty <> coalesce(x.qty, 0)
    OR abs(o.avg_px * o.cum_qty - coalesce(x.value, 0)) > o.cum_qty * 0.00000000005
    OR (o.cum_qty = 0 AND o.avg_px <> 0)
"""

_LEAVES = """
SELECT o.ref AS subject, format('leaves %s of %s with %s executed, OrdStatus %s, %s', o.leaves_qty, o.order_qty, o.cum_qty,
       coalesce(o.ord_status, 'none'), o.request_state) AS what
  FROM orders_order o
 WHERE o.leaves_qty NOT IN (0, greatest(coalesce(o.order_qty, 0) - o.cum_qty, 0))
    OR (o.leaves_qty <> greatest(o.order_qty - o.cum_qty, 0) AND o.ord_status IN ('0', 'A'))
    OR (o.leaves_qty <> o.order_qty AND o.ord_status IS NULL
        AND o.request_state IN ('released', 'handed_over', 'unknown', 'pending_authorisation'))
    OR (o.leaves_qty > 0 AND o.ord_status IS NULL AND o.request_state IN ('refused', 'declined', 'lapsed', 'withdrawn'))
"""

_OPEN = """
SELECT o.ref AS subject, format('is %s with OrdStatus %s, %s', CASE WHEN o.is_open THEN 'open' ELSE 'closed' END,
       coalesce(o.ord_status, 'none'), o.request_state) AS what
  FROM orders_order o
 WHERE (NOT o.is_open AND o.ord_status IS NULL
        AND o.request_state IN ('released', 'handed_over', 'unknown', 'pending_authorisation'))
    OR (NOT o.is_open AND o.ord_status IN ('0', 'A', '6', 'E'))
    OR (o.is_open AND o.ord_status IS NULL AND o.request_state IN ('refused', 'declined', 'lapsed', 'withdrawn'))
"""

_OVERFILLS = """
SELECT o.ref AS subject, format('has %s executed of %s and %s', o.cum_qty, o.order_qty,
       CASE WHEN o.overfilled THEN 'is marked over-filled' ELSE 'is not marked over-filled' END) AS what
  FROM orders_order o WHERE o.overfilled <> coalesce(o.cum_qty > o.order_qty, false)
"""

_EXECUTION_EVENTS = """
SELECT 'execution ' || x.exec_id || ' of ' || coalesce(o.ref, x.order_id::text) AS subject,
       CASE WHEN o.id IS NULL THEN 'belongs to no order' WHEN e.id IS NULL THEN 'has no event that recorded it'
            ELSE format('is of side %s, its order of side %s', x.side, o.side) END AS what
  FROM orders_execution x
  LEFT JOIN orders_order o ON o.id = x.order_id
  LEFT JOIN journal_event e ON e.id = x.event_id AND e.stream = 'order:' || x.order_id AND e.kind = 'ExecutionRecorded'
 WHERE o.id IS NULL OR e.id IS NULL OR x.side <> o.side
"""

# The last event of an execution carries its effective figures; the row must say the same, and no row may be missing.
_EXECUTION_FIGURES = """
WITH told AS (
     SELECT DISTINCT ON (execution_id) execution_id, seq, stream, qty, px, stated_qty, stated_px
       FROM (SELECT (payload ->> 'execution_id')::uuid AS execution_id, seq, stream,
                    (payload ->> 'effective_qty')::numeric AS qty, (payload ->> 'effective_px')::numeric AS px,
                    (payload ->> 'stated_qty')::numeric AS stated_qty, (payload ->> 'stated_px')::numeric AS stated_px
               FROM journal_event WHERE kind IN ('ExecutionRecorded', 'ExecutionCorrected', 'ExecutionBusted')) e
      ORDER BY execution_id, seq DESC
)
SELECT 'execution ' || coalesce(x.exec_id, t.execution_id::text) AS subject,
       format('is %s at %s, stated as %s at %s; its last event says %s at %s, stated as %s at %s', x.effective_qty, x.effective_px,
              x.stated_qty, x.stated_px, t.qty, t.px, t.stated_qty, t.stated_px) AS what
  FROM told t FULL JOIN orders_execution x ON x.id = t.execution_id
 WHERE (x.effective_qty, x.effective_px, x.stated_qty, x.stated_px) IS DISTINCT FROM (t.qty, t.px, t.stated_qty, t.stated_px)
"""

_AUTHORISATIONS = """
SELECT r.cl_ord_id AS subject, format('waits for a second person; the authorisation request is %s', coalesce(a.state, 'not there')) AS what
  FROM orders_orderrequest r LEFT JOIN authorisation_authorisationrequest a ON a.id = r.authorisation_id
 WHERE r.state = 'pending_authorisation' AND coalesce(a.state, '') NOT IN ('pending', 'claimed', 'sent_back')
UNION ALL
SELECT 'authorisation request ' || a.id, format('waits for a decision; the request it is about is %s', coalesce(r.state, 'not there'))
  FROM authorisation_authorisationrequest a LEFT JOIN orders_orderrequest r ON r.authorisation_id = a.id
 WHERE a.state IN ('pending', 'claimed', 'sent_back') AND a.subject_type = 'order_request'
   AND r.state IS DISTINCT FROM 'pending_authorisation'
"""

_ACCEPTED = """
SELECT o.ref AS subject, format('has %s units of excess accepted; its events say %s', o.accepted_excess, coalesce(t.units, 0)) AS what
  FROM orders_order o
  LEFT JOIN LATERAL (
       SELECT coalesce(e.payload ->> 'accepted_excess', e.payload -> 'moved' ->> 'accepted_excess')::numeric AS units
         FROM journal_event e
        WHERE e.stream = 'order:' || o.id
          AND (e.kind = 'ExcessAccepted' OR (e.kind = 'ReportApplied' AND e.payload -> 'moved' ? 'accepted_excess'))
        ORDER BY e.seq DESC LIMIT 1) t ON true
 WHERE (o.overfilled OR o.accepted_excess <> 0) AND o.accepted_excess <> coalesce(t.units, 0)
"""

_REPLAY = "./oms replay --order ID --compare shows what its events make of it"

CHECKS = (
    Check(
        "ORDER_LOST", "I1", Level.ORDERS,
        "Every order that was ever captured is there, and so is the order of every request.",
        f"An acknowledged order was deleted: stop trading; {_REPLAY}; ask the venue for it before anything else.",
        sql=_LOST,
    ),
    Check(
        "ORDER_UNCAPTURED", "I5", Level.ORDERS,
        "The first event of every order's journal captured it.",
        "The order was written past the doors: find out by whom (server log), ask the venue whether it knows it.",
        sql=_UNCAPTURED,
    ),
    Check(
        "ANSWER_LOST", "I1", Level.ORDERS,
        "Every order and request that a caller was answered with exists.",
        "Somebody holds an acknowledgement for nothing: tell the principal, then find out what deleted it.",
        sql=_ANSWERS,
    ),
    Check(
        "ORDER_UNASKED", "I1", Level.ORDERS,
        "Every order was asked for by a request of ours, or was phoned.",
        f"{_REPLAY}; the NEW request is in its OrderCaptured event.",
        sql=_REQUESTLESS,
    ),
    Check(
        "REQUEST_NUMBERS_DIFFER", "I1", Level.ORDERS,
        "The requests of an order are numbered from 1 without a gap, up to the number it says.",
        f"A request was deleted or written past the doors: {_REPLAY}.",
        sql=_REQUEST_NUMBERS,
    ),
    Check(
        "LINEAGE_BROKEN", "I1", Level.ORDERS,
        "Every replace and cancel names an earlier name of its own order.",
        "Ask the venue for the status under both names; block the account until it has answered.",
        sql=_LINEAGE,
    ),
    Check(
        "TREE_BROKEN", "I1", Level.ORDERS,
        "Every order has the root of its parent or of the order it replaces, or is its own.",
        f"{_REPLAY}; roll-ups over the tree are wrong until it is put right.",
        sql=_TREES,
    ),
    Check(
        "STAGED_STRANDED", "I1", Level.ORDERS,
        "Every staged replace waits for the venue or has ended, and an order entered in another's place was asked for so.",
        f"The client may have nothing working: {_REPLAY}; see that the relay runs; enter or give up by hand.",
        sql=_STAGED,
    ),
    Check(
        "REQUEST_STATE_DIFFERS", "I5", Level.ORDERS,
        "The state of every request is what the last event about it says.",
        f"The state was moved without an event or the event was lost: {_REPLAY}.",
        sql=_REQUEST_STATES,
    ),
    Check(
        "SHOWN_STATE_DIFFERS", "I7", Level.ORDERS,
        "The state of ours an order shows is that of its requests.",
        f"{_REPLAY}; people see a wrong status until it is put right.",
        sql=_SHOWN_STATES,
    ),
    Check(
        "FILLS_DIFFER", "I3", Level.ORDERS,
        "CumQty is the sum of the effective executions, and AvgPx their average.",
        f"{_REPLAY}; block the account until both agree.",
        sql=_FILLS,
    ),
    Check(
        "LEAVES_WRONG", "I3", Level.ORDERS,
        "LeavesQty is what is not executed yet, or nothing where the order is over.",
        f"{_REPLAY}; its reservation follows from it.",
        sql=_LEAVES,
    ),
    Check(
        "OPEN_WRONG", "I1", Level.ORDERS,
        "An order is open exactly as long as somebody may still act on it.",
        f"A closed order that lives at the venue is seen by nobody: ask the venue; {_REPLAY}.",
        sql=_OPEN,
    ),
    Check(
        "OVERFILL_UNMARKED", "I3", Level.ORDERS,
        "An order is marked over-filled exactly when more was executed than ordered.",
        f"{_REPLAY}; the excess needs a person.",
        sql=_OVERFILLS,
    ),
    Check(
        "ACCEPTED_EXCESS_DIFFERS", "I8", Level.ORDERS,
        "What of an order's excess counts as accepted is what two people accepted, by the splits that its venue has stated since.",
        f"{_REPLAY}; nothing in suspense is moved before both agree.",
        sql=_ACCEPTED,
    ),
    Check(
        "EXECUTION_UNRECORDED", "I5", Level.ORDERS,
        "Every execution belongs to an order of its side and has the event that recorded it.",
        "The execution was written past the doors: compare with the raw messages of its order.",
        sql=_EXECUTION_EVENTS,
    ),
    Check(
        "EXECUTION_DIFFERS", "I7", Level.ORDERS,
        "The effective quantity and price of every execution are what its last event says, and none is missing.",
        f"{_REPLAY}; cash and stock follow from it.",
        sql=_EXECUTION_FIGURES,
    ),
    Check(
        "AUTHORISATION_DIFFERS", "I8", Level.ORDERS,
        "What waits for a second person waits on both sides: the order's request and the authorisation request.",
        "Nobody can decide it, or a decision would have no effect: withdraw the request and enter it again.",
        sql=_AUTHORISATIONS,
    ),
    Check(
        "FACTS_DIFFER", "I7", Level.ORDERS,
        "Status, quantities and prices of every order are what the sum of its facts makes of it; every request handed over is one.",
        f"{_REPLAY}; until then the order's raw messages are the truth.",
        look=differing_facts, reads_all=True,
    ),
)  # fmt: skip
