"""Market claims: rows, their events, the distribution they are a share of, and the money they moved, reckoned anew in SQL."""

from __future__ import annotations

from kernel.numbers import MINOR_PLACES, minor_unit
from operations.fsck.check import Check, Level

_UNITS = " ".join(f"WHEN '{currency}' THEN {minor_unit(currency)}" for currency in sorted(MINOR_PLACES))
GRACE = "3 minutes"
"""How long what was paid, busted or settled may wait for the sweeper that follows it with claims."""

# What one instruction owes of one distribution is its units at the amount a share, whatever it was paid in.
_SAID = f"""
SELECT 'MC-' || c.number AS subject, format('is %s over %s; its event says %s over %s', c.state, c.amount, e.payload ->> 'state',
       e.payload ->> 'amount') AS what
  FROM allocations_claim c LEFT JOIN journal_event e ON e.id = c.event_id AND e.kind = 'ClaimMoved'
 WHERE (e.payload ->> 'claim_id', e.payload ->> 'state', (e.payload ->> 'amount')::numeric, (e.payload ->> 'units')::numeric)
       IS DISTINCT FROM (c.id::text, c.state::text, c.amount, c.units)
 UNION ALL
SELECT 'MC-' || c.number, format('is %s and was approved by no request', c.state)
  FROM allocations_claim c
  LEFT JOIN authorisation_authorisationrequest r
    ON r.id = c.request_id AND r.kind = 'post_trade_rules' AND r.subject_type = 'market_claim' AND r.state = 'approved'
 WHERE r.id IS NULL AND c.state IN ('paid', 'written_off')
 UNION ALL
SELECT i.ref || ' of ' || a.source || ':' || a.reference,
       format('claims %s for %s units at %s', s.amount, s.units, coalesce(v.terms ->> 'amount', v.terms ->> 'fraction_px'))
  FROM (SELECT action_id, instruction_id, min(currency) AS currency, sum(amount) AS amount, sum(units) AS units
          FROM allocations_claim WHERE state <> 'withdrawn' AND currency <> '' GROUP BY 1, 2) s
  JOIN allocations_settlementinstruction i ON i.id = s.instruction_id
  JOIN refdata_corporateaction a ON a.id = s.action_id
  JOIN refdata_corporateactionversion v ON v.action_id = a.id AND v.number = a.version
 WHERE abs(s.amount - s.units * coalesce((v.terms ->> 'amount')::numeric, (v.terms ->> 'fraction_px')::numeric))
       > CASE s.currency {_UNITS} ELSE 0.01 END / 2 + CASE WHEN a.kind = 'cash_dividend' THEN 0 ELSE 0.00001 END
 UNION ALL
SELECT i.ref || ' of ' || a.source || ':' || a.reference, format('claims %s shares for %s units at %s for %s', s.amount, s.units,
       v.terms ->> 'ratio_new', v.terms ->> 'ratio_old')
  FROM (SELECT action_id, instruction_id, sum(amount) AS amount, sum(units) AS units
          FROM allocations_claim WHERE state <> 'withdrawn' AND currency = '' GROUP BY 1, 2) s
  JOIN allocations_settlementinstruction i ON i.id = s.instruction_id
  JOIN refdata_corporateaction a ON a.id = s.action_id
  JOIN refdata_corporateactionversion v ON v.action_id = a.id AND v.number = a.version
 WHERE abs(s.amount + s.units - s.units * (v.terms ->> 'ratio_new')::numeric / (v.terms ->> 'ratio_old')::numeric) >= 1
"""

# Once an action is paid, what it left pending of an account and what claims moved are together what is still claimed.
_MONEY = f"""
WITH claimed AS (
     SELECT c.action_id, c.account_id, c.currency,
            coalesce(sum(c.amount) FILTER (WHERE c.state IN ('raised', 'agreed', 'disputed')), 0) AS open,
            coalesce(sum(c.amount) FILTER (WHERE c.state IN ('paid', 'written_off')), 0) AS ended
       FROM allocations_claim c JOIN allocations_settlementinstruction i ON i.id = c.instruction_id
       JOIN allocations_allocation l ON l.id = i.allocation_id
      WHERE c.currency <> '' OR l.side NOT IN ('5', '6') GROUP BY 1, 2, 3
), moved AS (
     SELECT (e.payload ->> 'action_id')::uuid AS action_id, b.account_id, b.currency,
            coalesce(sum(b.amount) FILTER (WHERE b.layer = 'pending'), 0) AS pending,
            coalesce(sum(b.amount) FILTER (WHERE b.layer = 'settled'), 0) AS settled
       FROM accounts_booking b JOIN journal_event e ON e.id = b.event_id
      WHERE b.kind = 'claim' AND e.payload ? 'action_id' GROUP BY 1, 2, 3
), left_by AS (
     SELECT n.action_id, n.account_id, sum(b.amount) AS pending, max(b.recorded_at) AS last_at
       FROM accounts_actionentry n JOIN accounts_booking b ON b.event_id = n.event_id AND b.account_id = n.account_id
      WHERE b.layer = 'pending' AND b.currency <> '' AND n.action_id IN (SELECT action_id FROM allocations_claim) GROUP BY 1, 2
)
SELECT a.source || ':' || a.reference || ' of ' || t.code AS subject,
       format('%s are claimed and %s were; the action left %s pending, claims moved %s pending and %s settled', coalesce(c.open, 0),
              coalesce(c.ended, 0), coalesce(l.pending, 0), coalesce(m.pending, 0), coalesce(m.settled, 0)) AS what
  FROM claimed c FULL JOIN moved m ON m.action_id = c.action_id AND m.account_id = c.account_id AND m.currency = c.currency
  JOIN refdata_corporateaction a ON a.id = coalesce(c.action_id, m.action_id)
  JOIN accounts_tradingaccount t ON t.id = coalesce(c.account_id, m.account_id)
  LEFT JOIN left_by l ON l.action_id = a.id AND l.account_id = t.id
 WHERE coalesce(m.pending, 0) + coalesce(m.settled, 0) <> 0
    OR (a.updated_at <= current_setting('oms.fsck_at')::timestamptz - interval '{GRACE}'
        AND coalesce(l.last_at, '-infinity') <= current_setting('oms.fsck_at')::timestamptz - interval '{GRACE}'
        AND CASE WHEN a.state = 'applied' AND a.kind = 'cash_dividend'
                 THEN coalesce(l.pending, 0) + coalesce(m.pending, 0) <> coalesce(c.open, 0)
                 ELSE -coalesce(m.pending, 0) <> coalesce(c.ended, 0) END)
 UNION ALL
SELECT 'MC-' || c.number, format('was written off over %s; %s of it were borne', c.amount, coalesce(-b.amount, 0))
  FROM allocations_claim c
  LEFT JOIN (SELECT e.payload ->> 'claim_id' AS id, sum(b.amount) AS amount FROM accounts_booking b
               JOIN journal_event e ON e.id = b.event_id
              WHERE b.kind = 'claim' AND e.payload ? 'claim_id' GROUP BY 1) b ON b.id = c.id::text
 WHERE coalesce(-b.amount, 0) <> CASE WHEN c.state = 'written_off' THEN c.amount ELSE 0 END
 UNION ALL
SELECT 'event ' || b.event_id, 'moved money for no claim, no buy-in and no parts of shares'
  FROM accounts_booking b JOIN journal_event e ON e.id = b.event_id
 WHERE b.kind = 'claim' AND NOT EXISTS (SELECT FROM allocations_claim c WHERE c.id::text = e.payload ->> 'claim_id')
   AND NOT EXISTS (SELECT FROM allocations_claim c WHERE c.action_id::text = e.payload ->> 'action_id' AND c.account_id = b.account_id)
   AND NOT EXISTS (SELECT FROM allocations_buyin n WHERE n.id::text = e.payload ->> 'buy_in_id')
   AND NOT EXISTS (SELECT FROM allocations_settlementinstruction i
                    WHERE i.action_id::text = e.payload ->> 'fractions_of' AND i.account_id = b.account_id)
"""

CHECKS = (
    Check(
        "CLAIM_DIFFERS", "I4", Level.EXCEPTIONS,
        "Every market claim is what its event says, ended by an approved request, and an instruction claims its units' money.",
        "The sweeper watch_claims makes claims what is owed; one that two people ended is corrected by the next claim, never changed.",
        sql=_SAID,
    ),
    Check(
        "CLAIM_MONEY_DIFFERS", "I4", Level.MONEY,
        "What a paid action left pending of an account and what its claims moved are what is still claimed; what was written off is borne.",
        "Compare the claims of the action on /settlement with the bookings of the account; the sweeper books what is missing.",
        sql=_MONEY,
    ),
)  # fmt: skip
