"""Level 3: every account has exactly what the corporate actions of its instruments entitle it to, and nothing is left over.

The expectation is reckoned here anew in SQL from bookings, dates and terms; nothing of the core that booked it is used.
"""

from __future__ import annotations

from kernel.numbers import MINOR_PLACES, minor_unit
from operations.fsck.check import Check, Level

_UNITS = " ".join(f"WHEN '{currency}' THEN {minor_unit(currency)}" for currency in sorted(MINOR_PLACES))
GRACE = "2 minutes"
"""How long a late trade may wait for the sweeper that books its claim."""

# Undone actions entitle to nothing. Whole shares: div() cuts towards zero exactly; "up" goes away from zero. What is within a
# millionth of a whole new share is that share: corrections of executions that a venue stated anew leave no more (ADR 0066).
_ENTITLEMENT = f"""
WITH acts AS (
     SELECT a.id, a.source || ':' || a.reference AS name, a.instrument_id, a.kind, a.state, a.ex_date, v.terms,
            (v.terms ->> 'ratio_new')::numeric AS new, (v.terms ->> 'ratio_old')::numeric AS old,
            coalesce((v.terms ->> 'amount')::numeric, 0) AS amount, v.terms ->> 'fractions' AS fractions,
            coalesce((v.terms ->> 'fraction_px')::numeric, 0) AS px,
            CASE v.terms ->> 'currency' {_UNITS} ELSE 0.01 END AS unit
       FROM refdata_corporateaction a JOIN refdata_corporateactionversion v ON v.action_id = a.id AND v.number = a.version
      WHERE a.state IN ('ex_applied', 'paying', 'applied', 'undone') AND a.kind <> 'name_change'
), dated AS (
     SELECT b.account_id, b.instrument_id, b.layer, b.amount, b.recorded_at,
            CASE WHEN b.execution_id IS NULL AND b.allocation_id IS NULL THEN b.trade_date
            ELSE min(b.trade_date) OVER (PARTITION BY b.account_id, coalesce(b.execution_id, b.allocation_id)) END AS dated
       FROM accounts_booking b WHERE b.instrument_id IN (SELECT instrument_id FROM acts)
), held AS (
     SELECT acts.id AS action_id, d.account_id, coalesce(sum(d.amount) FILTER (WHERE d.layer <> 'short'), 0) AS long,
            coalesce(sum(d.amount) FILTER (WHERE d.layer = 'short'), 0) AS short, max(d.recorded_at) AS last_at
       FROM acts JOIN dated d ON d.instrument_id = acts.instrument_id AND d.dated < acts.ex_date GROUP BY 1, 2
), scaled AS (
     SELECT acts.*, h.account_id, h.last_at, h.long AS had_long, h.short AS had_short,
            CASE WHEN abs(h.long * new - round(h.long * new / old) * old) < old / 1000000 THEN round(h.long * new / old) * old
                 ELSE h.long * new END AS long_times,
            CASE WHEN abs(h.short * new - round(h.short * new / old) * old) < old / 1000000 THEN round(h.short * new / old) * old
                 ELSE h.short * new END AS short_times
       FROM acts JOIN held h ON h.action_id = acts.id
), booked AS (
     SELECT e.action_id, e.account_id,
            coalesce(sum(b.amount) FILTER (WHERE b.instrument_id IS NOT NULL AND b.layer <> 'short'), 0) AS long,
            coalesce(sum(b.amount) FILTER (WHERE b.layer = 'short'), 0) AS short,
            coalesce(sum(b.amount) FILTER (WHERE b.instrument_id IS NULL), 0) AS cash
       FROM accounts_actionentry e JOIN accounts_booking b ON b.event_id = e.event_id GROUP BY 1, 2
), wanted AS (
     SELECT s.*, CASE WHEN state = 'undone' OR new IS NULL THEN 0 ELSE div(long_times, old)
                 + CASE WHEN fractions = 'up' THEN sign(had_long) * sign(mod(abs(long_times), old)) ELSE 0 END - had_long END AS long,
            CASE WHEN state = 'undone' OR new IS NULL THEN 0 ELSE div(short_times, old)
                 + CASE WHEN fractions = 'up' THEN sign(had_short) * sign(mod(abs(short_times), old)) ELSE 0 END - had_short END AS short
       FROM scaled s
), money AS (
     SELECT w.*, CASE WHEN w.state = 'undone' THEN 0 WHEN w.new IS NULL THEN (w.had_long - w.had_short) * w.amount * 1
                      WHEN w.fractions <> 'cash' THEN 0
                      ELSE (mod(w.long_times, w.old) - mod(w.short_times, w.old)) * w.px END AS cash_times,
            CASE WHEN w.new IS NULL THEN 1 ELSE w.old END AS times
       FROM wanted w
)
SELECT coalesce(m.name, 'action ' || b.action_id) || ' ' || coalesce(a.code, b.account_id::text) AS subject,
       format('entitled to %s long, %s short and %s of money; booked are %s, %s and %s', coalesce(m.long, 0), coalesce(m.short, 0),
              round(coalesce(m.cash_times / m.times, 0), 4), coalesce(b.long, 0), coalesce(b.short, 0), coalesce(b.cash, 0)) AS what
  FROM money m
  FULL JOIN (SELECT * FROM booked WHERE action_id IN (SELECT id FROM acts)) b ON b.action_id = m.id AND b.account_id = m.account_id
  LEFT JOIN accounts_tradingaccount a ON a.id = coalesce(m.account_id, b.account_id)
 WHERE (m.last_at IS NULL OR m.state = 'undone' OR m.last_at < clock_timestamp() - interval '{GRACE}')
   AND (coalesce(m.long, 0) <> coalesce(b.long, 0) OR coalesce(m.short, 0) <> coalesce(b.short, 0)
        OR abs(coalesce(m.cash_times, 0) - coalesce(b.cash, 0) * coalesce(m.times, 1)) > coalesce(m.unit * m.times, 0) / 2
        OR coalesce(b.cash, 0) % coalesce(m.unit, 0.01) <> 0)
"""

_ENTRIES = """
SELECT a.code || ' of ' || x.source || ':' || x.reference AS subject,
       CASE WHEN j.id IS NULL THEN format('names an event %s that does not exist', e.event_id)
            ELSE 'names an event of another action, account or round' END AS what
  FROM accounts_actionentry e
  JOIN accounts_tradingaccount a ON a.id = e.account_id
  JOIN refdata_corporateaction x ON x.id = e.action_id
  LEFT JOIN journal_event j ON j.id = e.event_id
 WHERE j.id IS NULL OR j.kind <> 'CorporateActionBooked' OR j.payload ->> 'action_id' <> e.action_id::text
    OR j.payload ->> 'account_id' <> e.account_id::text OR j.payload ->> 'round' <> e.round::text
    OR j.payload ->> 'part' <> e.part
 UNION ALL
SELECT 'event ' || j.id, 'booked a corporate action and has no entry of it'
  FROM journal_event j WHERE j.kind = 'CorporateActionBooked' AND NOT EXISTS (
       SELECT FROM accounts_actionentry e WHERE e.event_id = j.id)
"""

_BLOCKS = """
SELECT coalesce(x.source || ':' || x.reference, b.source) AS subject,
       CASE WHEN x.state = 'applying' THEN 'is being applied and its instrument is not blocked'
            ELSE format('is %s and its instrument is still blocked', coalesce(x.state, 'unknown')) END AS what
  FROM (SELECT * FROM risk_block WHERE lifted_at IS NULL AND source LIKE 'corporate_action:%') b
  FULL JOIN refdata_corporateaction x ON b.source = 'corporate_action:' || x.id
 WHERE (b.id IS NULL AND x.state = 'applying') OR (b.id IS NOT NULL AND coalesce(x.state, '') NOT IN ('applying', 'undoing'))
"""

_REMEDY = (
    "Block the instrument (risk.impose_block); the action's page shows what was booked for whom, "
    "./oms replay --account what should be"
)

CHECKS = (
    Check(
        "ENTITLEMENT_DIFFERS", "I4", Level.MONEY,
        "Every account was booked exactly what the corporate actions entitle its position before the ex date to, nothing once undone.",
        f"{_REMEDY}; the sweeper books the difference while claims are open.",
        sql=_ENTITLEMENT,
    ),
    Check(
        "ACTION_ENTRY_DIFFERS", "I4", Level.MONEY,
        "Every entry of a corporate action names the event that booked it, and every such event has its entry.",
        f"{_REMEDY}.",
        sql=_ENTRIES,
    ),
    Check(
        "ACTION_BLOCK_DIFFERS", "I8", Level.MONEY,
        "An instrument is blocked while a corporate action of it is applied, and not after it.",
        "Look at the action's page and at its exceptions: what keeps it from ending is named there.",
        sql=_BLOCKS,
    ),
)  # fmt: skip
