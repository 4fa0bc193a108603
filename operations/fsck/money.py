"""Level 3: every amount of cash and stock is the sum of what moved it, and every hold has an order that needs it."""

from __future__ import annotations

from kernel.numbers import MINOR_PLACES, minor_unit
from operations.fsck.check import Check, Level
from operations.fsck.fees import differing_fees
from operations.fsck.holds import differing_holds
from orders.domain.holding import OPEN_STATES

_CASH = """
SELECT a.code || ' ' || coalesce(c.currency, b.currency) AS subject,
       format('has %s settled and %s pending; its bookings add up to %s and %s', c.settled, c.pending,
              coalesce(b.settled, 0), coalesce(b.pending, 0)) AS what
  FROM accounts_cashbalance c
  FULL JOIN (SELECT account_id, currency, sum(amount) FILTER (WHERE layer = 'settled') AS settled,
                    sum(amount) FILTER (WHERE layer = 'pending') AS pending, bool_or(layer = 'short') AS short
               FROM accounts_booking WHERE instrument_id IS NULL GROUP BY account_id, currency) b
    ON b.account_id = c.account_id AND b.currency = c.currency
  LEFT JOIN accounts_tradingaccount a ON a.id = coalesce(c.account_id, b.account_id)
 WHERE c.id IS NULL OR a.id IS NULL OR b.short OR c.settled <> coalesce(b.settled, 0) OR c.pending <> coalesce(b.pending, 0)
"""

_STOCK = """
SELECT coalesce(a.code, b.account_id::text) || ' ' || coalesce(h.instrument_id, b.instrument_id) AS subject,
       format('has %s settled, %s pending, %s short; its bookings add up to %s, %s and %s', h.settled, h.pending, h.short,
              coalesce(b.settled, 0), coalesce(b.pending, 0), coalesce(b.short, 0)) AS what
  FROM accounts_holding h
  FULL JOIN (SELECT account_id, instrument_id, sum(amount) FILTER (WHERE layer = 'settled') AS settled,
                    sum(amount) FILTER (WHERE layer = 'pending') AS pending,
                    sum(amount) FILTER (WHERE layer = 'short') AS short
               FROM accounts_booking WHERE instrument_id IS NOT NULL GROUP BY account_id, instrument_id) b
    ON b.account_id = h.account_id AND b.instrument_id = h.instrument_id
  LEFT JOIN accounts_tradingaccount a ON a.id = coalesce(h.account_id, b.account_id)
 WHERE h.id IS NULL OR h.settled <> coalesce(b.settled, 0) OR h.pending <> coalesce(b.pending, 0)
    OR h.short <> coalesce(b.short, 0)
"""

_RESERVED_CASH = """
SELECT coalesce(a.code, r.account_id::text) || ' ' || coalesce(c.currency, r.currency) AS subject,
       format('has %s reserved; its orders hold %s', coalesce(c.reserved, 0), coalesce(r.held, 0)) AS what
  FROM accounts_cashbalance c
  FULL JOIN (SELECT account_id, cash_currency AS currency, sum(cash) AS held
               FROM accounts_reservation WHERE cash > 0 GROUP BY account_id, cash_currency) r
    ON r.account_id = c.account_id AND r.currency = c.currency
  LEFT JOIN accounts_tradingaccount a ON a.id = coalesce(c.account_id, r.account_id)
 WHERE coalesce(c.reserved, 0) <> coalesce(r.held, 0)
"""

_OPEN = ", ".join(f"'{state}'" for state in sorted(OPEN_STATES))

_RESERVED_STOCK = """
SELECT coalesce(a.code, r.account_id::text) || ' ' || coalesce(h.instrument_id, r.instrument_id) AS subject,
       format('has %s reserved; its orders hold %s', coalesce(h.reserved, 0), coalesce(r.held, 0)) AS what
  FROM accounts_holding h
  FULL JOIN (SELECT account_id, instrument_id, sum(stock) AS held
               FROM accounts_reservation WHERE stock > 0 GROUP BY account_id, instrument_id) r
    ON r.account_id = h.account_id AND r.instrument_id = h.instrument_id
  LEFT JOIN accounts_tradingaccount a ON a.id = coalesce(h.account_id, r.account_id)
 WHERE coalesce(h.reserved, 0) <> coalesce(r.held, 0)
"""

_ORPHANS = f"""
SELECT coalesce(o.ref, r.order_id::text) AS subject,
       format('holds %s %s and %s units, and %s', r.cash, r.cash_currency, r.stock, CASE WHEN o.id IS NULL
              THEN 'does not exist' WHEN o.account_id = r.account_id THEN 'is over' ELSE 'is of another account' END) AS what
  FROM accounts_reservation r LEFT JOIN orders_order o ON o.id = r.order_id
 WHERE NOT EXISTS (SELECT FROM authorisation_authorisationrequest w WHERE w.id = r.order_id AND w.kind = 'withdrawal'
                      AND w.state IN ('pending', 'claimed', 'sent_back'))
   AND (o.id IS NULL OR o.account_id <> r.account_id OR (NOT o.is_open AND NOT (o.ord_status = '2' AND EXISTS (
       SELECT FROM orders_orderrequest a WHERE a.order_id = o.id AND a.kind = 'replace' AND a.state IN ({_OPEN})))))
"""

_WITHDRAWALS = """
SELECT 'withdrawal ' || w.id AS subject,
       format('waits for %s %s of account %s; %s %s of account %s are held', w.payload ->> 'amount', w.payload ->> 'currency',
              w.payload ->> 'account_id', coalesce(r.cash, 0), r.cash_currency, r.account_id) AS what
  FROM authorisation_authorisationrequest w LEFT JOIN accounts_reservation r ON r.order_id = w.id
 WHERE w.kind = 'withdrawal' AND w.state IN ('pending', 'claimed', 'sent_back')
   AND ((w.payload ->> 'amount')::numeric, w.payload ->> 'currency', w.payload ->> 'account_id')
       IS DISTINCT FROM (r.cash, r.cash_currency, r.account_id::text)
"""

_UNITS = " ".join(f"WHEN '{currency}' THEN {minor_unit(currency)}" for currency in sorted(MINOR_PLACES))

# A booking rounds half-even to the minor unit, once for each change: so the sum is that of the figures in force, and may
# lie half a unit off the exact value. Multiplied out instead of divided, so that nothing is rounded here.
_EXECUTIONS = f"""
WITH booked AS (
     SELECT execution_id, min(order_id::text) AS order_id, sum(amount) FILTER (WHERE instrument_id IS NULL) AS cash,
            sum(CASE WHEN layer = 'short' THEN -amount ELSE amount END) FILTER (WHERE instrument_id IS NOT NULL) AS stock,
            min(currency) FILTER (WHERE instrument_id IS NULL) AS currency
       FROM accounts_booking WHERE execution_id IS NOT NULL AND charge = '' GROUP BY execution_id
), wanted AS (
     SELECT x.id, x.exec_id, o.ref, CASE WHEN x.side = '1' THEN 1 ELSE -1 END AS sign, x.effective_qty AS qty,
            x.effective_px AS px, (o.instrument_snapshot ->> 'price_divisor')::numeric AS divisor,
            CASE o.instrument_snapshot ->> 'currency' {_UNITS} ELSE 0.01 END AS unit
       FROM orders_execution x JOIN orders_order o ON o.id = x.order_id
)
SELECT format('execution %s of %s', coalesce(w.exec_id, b.execution_id::text), coalesce(w.ref, b.order_id)) AS subject,
       CASE WHEN w.id IS NULL THEN 'is booked and does not exist'
            ELSE format('moved %s in cash and %s in stock; it is %s at %s', coalesce(b.cash, 0), coalesce(b.stock, 0),
                        w.sign * w.qty, w.px) END AS what
  FROM wanted w FULL JOIN booked b ON b.execution_id = w.id
 WHERE w.id IS NULL OR coalesce(b.stock, 0) <> w.sign * w.qty
    OR abs(coalesce(b.cash, 0) * w.divisor + w.sign * w.qty * w.px) > w.unit * w.divisor / 2
    OR coalesce(b.cash, 0) % w.unit <> 0
"""

_EVENTS = """
WITH by_event AS (
     SELECT event_id, execution_id,
            coalesce(sum(CASE WHEN layer = 'short' THEN -amount ELSE amount END) FILTER (WHERE instrument_id IS NOT NULL), 0)
            AS stock
       FROM accounts_booking WHERE kind IN ('trade', 'bust', 'correction') GROUP BY event_id, execution_id
), told AS (
     SELECT e.id, e.stream, e.seq, (e.payload ->> 'execution_id')::uuid AS execution_id,
            abs((e.payload ->> 'effective_qty')::numeric - (e.payload ->> 'effective_qty_before')::numeric) AS qty,
            e.payload ->> 'effective_px' <> e.payload ->> 'effective_px_before' AS repriced
       FROM journal_event e WHERE e.kind IN ('ExecutionRecorded', 'ExecutionCorrected', 'ExecutionBusted')
)
SELECT coalesce(t.stream || ' event ' || t.seq, 'event ' || b.event_id) AS subject,
       CASE WHEN t.id IS NULL THEN 'is booked and is no event of an execution'
            WHEN b.event_id IS NULL THEN 'changed an execution and booked nothing'
            ELSE format('changed an execution by %s units and booked %s', t.qty, b.stock) END AS what
  FROM told t FULL JOIN by_event b ON b.event_id = t.id
 WHERE t.id IS NULL OR b.execution_id <> t.execution_id
    OR (t.qty <> 0 AND abs(coalesce(b.stock, 0)) <> t.qty)
"""

_DEPOSITS = """
WITH said AS (
     SELECT e.id, (e.payload ->> 'account_id')::uuid AS account_id, l.line ->> 'currency' AS currency,
            (l.line ->> 'instrument_id')::uuid AS instrument_id, coalesce(l.line ->> 'layer', 'settled') AS layer,
            sum((l.line ->> 'amount')::numeric) AS amount
       FROM journal_event e CROSS JOIN LATERAL jsonb_array_elements(e.payload -> 'lines') AS l(line)
      WHERE e.stream LIKE 'account:%' AND e.kind IN ('OpeningBalancesBooked', 'DepositBooked', 'CorporateActionBooked',
                                                          'WithdrawalBooked', 'WriteOffBooked', 'ClaimBooked')
      GROUP BY 1, 2, 3, 4, 5
), booked AS (
     SELECT event_id, account_id, currency, instrument_id, layer, sum(amount) AS amount
       FROM accounts_booking
      WHERE kind NOT IN ('trade', 'bust', 'correction', 'suspense', 'statement', 'settlement', 'allocation',
                          'compensation') AND charge = ''
      GROUP BY 1, 2, 3, 4, 5
)
SELECT format('account %s, event %s', coalesce(b.account_id, s.account_id), coalesce(b.event_id, s.id)) AS subject,
       format('booked %s of %s; its event says %s', coalesce(b.amount, 0),
              coalesce(nullif(coalesce(b.currency, s.currency), ''), coalesce(b.instrument_id, s.instrument_id)::text),
              coalesce(s.amount, 0)) AS what
  FROM said s FULL JOIN booked b
    ON b.event_id = s.id AND b.account_id = s.account_id AND b.currency = s.currency AND b.layer = s.layer
   AND b.instrument_id IS NOT DISTINCT FROM s.instrument_id
 WHERE s.amount IS DISTINCT FROM b.amount
"""

_STATEMENTS = """
WITH said AS (
     SELECT e.id, (l.line ->> 0)::uuid AS account_id, l.line ->> 1 AS what, (l.line ->> 2)::numeric AS settled,
            -(l.line ->> 3)::numeric AS pending
       FROM journal_event e CROSS JOIN LATERAL jsonb_array_elements(e.payload -> 'rows') AS l(line)
      WHERE e.stream LIKE 'feed:%' AND e.kind = 'StatementBooked' OR e.stream LIKE 'settlement:%' AND e.kind = 'TradesSettled'
), booked AS (
     SELECT event_id, account_id, coalesce(instrument_id::text, currency) AS what,
            coalesce(sum(amount) FILTER (WHERE layer = 'settled'), 0) AS settled,
            coalesce(sum(amount) FILTER (WHERE layer = 'pending'), 0) AS pending
       FROM accounts_booking WHERE kind IN ('statement', 'settlement') GROUP BY 1, 2, 3
)
SELECT format('account %s, event %s', coalesce(b.account_id, s.account_id), coalesce(b.event_id, s.id)) AS subject,
       format('booked %s settled and %s pending of %s; its event says %s and %s', coalesce(b.settled, 0), coalesce(b.pending, 0),
              coalesce(b.what, s.what), coalesce(s.settled, 0), coalesce(s.pending, 0)) AS what
  FROM said s FULL JOIN booked b ON b.event_id = s.id AND b.account_id = s.account_id AND b.what = s.what
 WHERE (s.settled, s.pending) IS DISTINCT FROM (b.settled, b.pending)
 UNION ALL
SELECT 'event ' || e.id, 'is no part of a statement on record: its accounts cannot be replayed'
  FROM journal_event e LEFT JOIN accounts_statementpart p ON p.event_id = e.id
 WHERE (e.stream LIKE 'feed:%' AND e.kind IN ('StatementBooked', 'AccountsLoaded')
        OR e.stream LIKE 'settlement:%' AND e.kind = 'TradesSettled') AND p.event_id IS NULL
"""

_CHARGES = """
WITH booked AS (
     SELECT order_id, charge, sum(amount) AS amount FROM accounts_booking
      WHERE charge <> '' AND allocation_id IS NULL GROUP BY 1, 2
), kept AS (
     SELECT o.id, o.ref, l.key AS charge, sum(l.value::numeric) AS amount
       FROM orders_order o CROSS JOIN LATERAL jsonb_each(o.fees -> 'days') d CROSS JOIN LATERAL jsonb_each_text(d.value -> 3) l
      GROUP BY 1, 2, 3
), by_event AS (
     SELECT event_id, charge, sum(amount) AS amount FROM accounts_booking
      WHERE charge <> '' AND allocation_id IS NULL GROUP BY 1, 2
), told AS (
     SELECT e.id, e.stream, e.seq, l.line ->> 1 AS charge, sum((l.line ->> 3)::numeric) AS amount
       FROM journal_event e CROSS JOIN LATERAL jsonb_array_elements(e.payload -> 'fees') AS l(line)
      WHERE e.kind IN ('ExecutionRecorded', 'ExecutionCorrected', 'ExecutionBusted') GROUP BY 1, 2, 3, 4
)
SELECT format('%s %s', coalesce(k.ref, b.order_id::text), coalesce(k.charge, b.charge)) AS subject,
       format('was charged %s by its bookings and %s by its order', coalesce(-b.amount, 0), coalesce(k.amount, 0)) AS what
  FROM kept k FULL JOIN booked b ON b.order_id = k.id AND b.charge = k.charge
 WHERE coalesce(-b.amount, 0) <> coalesce(k.amount, 0)
 UNION ALL
SELECT coalesce(t.stream || ' event ' || t.seq, 'event ' || b.event_id),
       format('charged %s of %s; %s is booked', coalesce(t.amount, 0), coalesce(t.charge, b.charge), coalesce(-b.amount, 0))
  FROM told t FULL JOIN by_event b ON b.event_id = t.id AND b.charge = t.charge
 WHERE coalesce(-b.amount, 0) <> coalesce(t.amount, 0)
"""

_SUSPENSE = """
WITH booked AS (
     SELECT order_id, account_id, coalesce(sum(amount) FILTER (WHERE instrument_id IS NULL), 0) AS cash,
            coalesce(sum(CASE WHEN layer = 'short' THEN -amount ELSE amount END) FILTER (WHERE instrument_id IS NOT NULL), 0)
            AS stock
       FROM accounts_booking WHERE kind = 'suspense' GROUP BY order_id, account_id
), shares AS (
     SELECT o.id, o.ref, o.account_id AS own_id, o.suspense_account_id AS account_id,
            greatest(o.cum_qty - o.order_qty - o.accepted_excess, 0) AS excess,
            sum(round(x.suspense_qty * coalesce(x.stated_qty / nullif(x.effective_qty, 0), 1), 6)) AS qty,
            sum(CASE WHEN x.side = '1' THEN x.suspense_qty ELSE -x.suspense_qty END) AS stock, sum(x.suspense_cash) AS cash
       FROM orders_order o JOIN orders_execution x ON x.order_id = o.id
      WHERE o.suspense_account_id IS NOT NULL GROUP BY o.id
), lying AS (
     SELECT id, ref AS name, account_id, stock, cash FROM shares
      UNION ALL
     SELECT id, ref, own_id, -stock, -cash FROM shares
      UNION ALL
     SELECT id, name, account_id, booked_qty, booked_cash FROM orders_unknownorder WHERE account_id IS NOT NULL
)
SELECT coalesce(l.name, b.order_id::text) AS subject,
       format('should have moved %s and %s units in or out of suspense on account %s; %s and %s are booked',
              coalesce(l.cash, 0), coalesce(l.stock, 0), coalesce(l.account_id, b.account_id), coalesce(b.cash, 0),
              coalesce(b.stock, 0)) AS what
  FROM lying l FULL JOIN booked b ON b.order_id = l.id AND b.account_id = l.account_id
 WHERE coalesce(l.cash, 0) <> coalesce(b.cash, 0) OR coalesce(l.stock, 0) <> coalesce(b.stock, 0)
 UNION ALL
SELECT ref, format('has %s units of excess and %s in suspense', excess, qty) FROM shares WHERE abs(qty - excess) > 0.000005
"""

_OVERDRAWN = """
SELECT a.code || ' ' || m.what AS subject,
       CASE WHEN m.available < 0 AND m.event_id IS NULL THEN format('is at %s and names no event that did it', m.available)
            WHEN m.available >= 0 THEN format('is at %s and is still marked overdrawn', m.available)
            ELSE format('names an event %s that does not exist', m.event_id) END AS what
  FROM (SELECT account_id, currency AS what, settled + pending - reserved AS available, overdrawn_by_event AS event_id
          FROM accounts_cashbalance
         UNION ALL
        SELECT account_id, instrument_id::text, settled + pending - reserved, overdrawn_by_event FROM accounts_holding) m
  JOIN accounts_tradingaccount a ON a.id = m.account_id
  LEFT JOIN journal_event e ON e.id = m.event_id
 WHERE (m.available < 0) <> (m.event_id IS NOT NULL) OR (m.event_id IS NOT NULL AND e.id IS NULL)
"""

_OPEN_SHORTS = f"""
SELECT l.id, a.code || ' locate ' || l.ref AS subject, l.qty,
       coalesce(sum(o.cum_qty + greatest(CASE WHEN o.is_open THEN o.leaves_qty ELSE 0 END, r.asked - o.cum_qty)), 0) AS used
  FROM accounts_locate l
  JOIN accounts_tradingaccount a ON a.id = l.account_id
  LEFT JOIN orders_order o ON o.account_id = l.account_id AND o.locate_ref = l.ref AND o.locate_ref <> '' AND o.side IN ('5', '6')
  LEFT JOIN LATERAL (SELECT max((q.payload ->> 'order_qty')::numeric) AS asked FROM orders_orderrequest q
              WHERE q.order_id = o.id AND q.kind = 'replace' AND q.state IN ({_OPEN})
                AND (o.is_open OR o.ord_status = '2' OR coalesce((q.payload ->> 'staged')::boolean, false))) r ON true
 GROUP BY l.id, a.code
"""

_LOCATES_OVERUSED = f"""
SELECT u.subject, format('has %s units; %s are used or held, and nobody was told', u.qty, u.used) AS what
  FROM ({_OPEN_SHORTS}) u
 WHERE u.used > u.qty AND 'AnomalyRaised' IS DISTINCT FROM (
       SELECT e.kind FROM journal_event e WHERE e.stream = 'anomaly:locate:' || u.id ORDER BY e.seq DESC LIMIT 1)
"""

_LOCATES = """
SELECT coalesce('locate ' || l.ref, 'event ' || e.id) AS subject,
       CASE WHEN e.id IS NULL THEN 'is on record and no event tells it' WHEN l.id IS NULL THEN 'tells a locate that is not on record'
            ELSE 'is not what its event tells' END AS what
  FROM accounts_locate l
  FULL JOIN (SELECT * FROM journal_event WHERE stream LIKE 'account:%' AND kind = 'LocateRecorded') e ON e.id = l.event_id
 WHERE l.id IS NULL OR e.id IS NULL
    OR (l.id::text, l.account_id::text, l.ref, l.instrument_id::text, l.qty, l.expires_at) IS DISTINCT FROM
       (e.payload ->> 'locate_id', e.payload ->> 'account_id', e.payload ->> 'ref', e.payload ->> 'instrument_id',
        (e.payload ->> 'qty')::numeric, (e.payload ->> 'expires_at')::timestamptz)
"""

_BOOKS = "Block the account (risk.impose_block); its bookings and their events show what moved it, ./oms replay --account what should"

CHECKS = (
    Check(
        "CASH_DIFFERS", "I4", Level.MONEY,
        "Cash of every account and currency is the sum of its bookings, layer by layer.",
        f"{_BOOKS}.",
        sql=_CASH,
    ),
    Check(
        "STOCK_DIFFERS", "I4", Level.MONEY,
        "Stock of every account and instrument is the sum of its bookings, layer by layer, short apart from long.",
        f"{_BOOKS}.",
        sql=_STOCK,
    ),
    Check(
        "RESERVED_CASH_DIFFERS", "I4", Level.MONEY,
        "Reserved cash is the sum of what orders hold.",
        f"{_BOOKS}.",
        sql=_RESERVED_CASH,
    ),
    Check(
        "RESERVED_STOCK_DIFFERS", "I4", Level.MONEY,
        "Reserved stock is the sum of what orders hold.",
        f"{_BOOKS}.",
        sql=_RESERVED_STOCK,
    ),
    Check(
        "RESERVATION_ORPHANED", "I4", Level.MONEY,
        "Every reservation belongs to an order of its account that is open, or filled with a replace the venue may yet accept, or to a "
        "withdrawal that waits.",
        "Money is held for nothing: check the order at the venue, then release the reservation through accounts.",
        sql=_ORPHANS,
    ),
    Check(
        "WITHDRAWAL_HOLD_DIFFERS", "I4", Level.MONEY,
        "Every withdrawal that waits for a second person holds exactly what it asks for.",
        f"{_BOOKS}; decline the withdrawal, which gives back what it holds.",
        sql=_WITHDRAWALS,
    ),
    Check(
        "RESERVATION_DIFFERS", "I4", Level.MONEY,
        "Every open order holds what its leaves need, or the larger of that and what its open replaces ask for.",
        f"{_BOOKS}; the order's next report sets the hold right.",
        look=differing_holds,
    ),
    Check(
        "EXECUTION_BOOKED_WRONGLY", "I4", Level.MONEY,
        "Every execution moved exactly its effective quantity in stock and its value in cash, and nothing else was booked for it.",
        f"{_BOOKS}; correct with a booking of its own, never by changing one.",
        sql=_EXECUTIONS,
    ),
    Check(
        "BOOKING_EVENT_DIFFERS", "I4", Level.MONEY,
        "Every booking of a trade names the event that changed an execution by that much, and every such event booked it.",
        f"{_BOOKS}; an event without its booking was half undone, which no crash can do.",
        sql=_EVENTS,
    ),
    Check(
        "MONEY_FROM_NOWHERE", "I4", Level.MONEY,
        "Every booking that is no trade and no move of suspense is a line of the event it names, and every such line is booked.",
        f"{_BOOKS}.",
        sql=_DEPOSITS,
    ),
    Check(
        "STATEMENT_BOOKED_WRONGLY", "I4", Level.MONEY,
        "Every booking of a statement is a row of the event it names, layer by layer, and every such row is booked.",
        f"{_BOOKS}; the next statement of bank or registry sets the settled layer right.",
        sql=_STATEMENTS,
    ),
    Check(
        "FEES_DIFFER", "I4", Level.MONEY,
        "What every order is charged for a trade date is what its executions of that date make by the terms it keeps.",
        f"{_BOOKS}; the order's next report of that date books the difference.",
        look=differing_fees,
        reads_all=True,
    ),
    Check(
        "CHARGES_DIFFER", "I4", Level.MONEY,
        "Every charge of an order is booked, line by line, by the events that say so, and nothing else is.",
        f"{_BOOKS}; correct with a booking of its own, never by changing one.",
        sql=_CHARGES,
    ),
    Check(
        "SUSPENSE_DIFFERS", "I4", Level.MONEY,
        "What was executed beyond what was ordered and accepted, and by unknown orders, is exactly what lies in suspense.",
        f"{_BOOKS}; the order's next report moves its shares right.",
        sql=_SUSPENSE,
    ),
    Check(
        "OVERDRAWN_UNMARKED", "I4", Level.MONEY,
        "A balance below zero names the event of a venue that did it, and no other balance does.",
        "A decision of ours may not overdraw: find the booking that did; cover the account or block it.",
        sql=_OVERDRAWN,
    ),
    Check(
        "LOCATE_DIFFERS", "I4", Level.MONEY,
        "Every locate is what its event tells, and every such event has its locate.",
        "Ask the lender what was promised; record it under a name of its own.",
        sql=_LOCATES,
    ),
    Check(
        "LOCATE_OVERUSED_UNTOLD", "I4", Level.MONEY,
        "No more is sold short or held under a locate than it has, or somebody was told.",
        "Block the account (risk.impose_block); ask the lender for more, or buy back.",
        sql=_LOCATES_OVERUSED,
    ),
)  # fmt: skip
