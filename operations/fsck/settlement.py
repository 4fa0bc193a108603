"""Settlement: instructions are what was allocated, stand as their custodians said, and moved exactly what changed hands."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from accounts.models import TradingAccount
from allocations.domain.settling import stand
from allocations.models import SettlementInstruction
from allocations.selectors.fractions import fraction_moves
from allocations.selectors.statuses import asked_of_all, statuses_by_instruction
from operations.fsck.check import Check, Found, Level
from operations.fsck.snapshot import Snapshot
from refdata.as_at import terms_of
from refdata.models import CorporateAction

SLICE = 1000
GRACE = "3 minutes"
"""How long what an action changed may wait for the sweeper that instructs it anew."""
QUIET = timedelta(minutes=3)

_BOOKED = """
WITH told AS (
     SELECT (l.line ->> 'instruction_id')::uuid AS id, l.line ->> 'ref' AS ref, sum((l.line ->> 'qty')::numeric) AS qty,
            sum((l.line ->> 'amount')::numeric) AS amount, sum((l.line ->> 'booked_qty')::numeric) AS booked_qty,
            sum((l.line ->> 'booked_amount')::numeric) AS booked_amount
       FROM journal_event e CROSS JOIN LATERAL jsonb_array_elements(e.payload -> 'lines') AS l(line)
      WHERE e.stream LIKE 'settlement:%' AND e.kind = 'SettlementsMoved' GROUP BY 1, 2
), moved AS (
     SELECT l.line ->> 0 AS ref, sum((l.line ->> 3)::numeric) FILTER (WHERE length(l.line ->> 2) = 3) AS cash,
            sum((l.line ->> 3)::numeric) FILTER (WHERE length(l.line ->> 2) > 3) AS stock
       FROM journal_event e CROSS JOIN LATERAL jsonb_array_elements(e.payload -> 'lines') AS l(line)
      WHERE e.stream LIKE 'settlement:%' AND e.kind = 'TradesSettled' GROUP BY 1
)
SELECT i.ref AS subject,
       format('has settled %s units for %s; its events say %s for %s', i.settled_qty, i.settled_amount, coalesce(t.qty, 0),
              coalesce(t.amount, 0)) AS what
  FROM allocations_settlementinstruction i LEFT JOIN told t ON t.id = i.id
 WHERE i.settled_qty <> coalesce(t.qty, 0) OR i.settled_amount <> coalesce(t.amount, 0)
 UNION ALL
SELECT coalesce(t.ref, m.ref), format('says that it moved %s units and %s; %s and %s are booked', coalesce(t.booked_qty, 0),
       coalesce(t.booked_amount, 0), coalesce(m.stock, 0), coalesce(m.cash, 0))
  FROM told t FULL JOIN moved m ON m.ref = t.ref
 WHERE abs(coalesce(m.cash, 0)) <> coalesce(t.booked_amount, 0) OR abs(coalesce(m.stock, 0)) <> coalesce(t.booked_qty, 0)
"""

_ALLOCATED = """
SELECT 'A-' || a.number AS subject,
       CASE WHEN i.id IS NULL THEN 'is booked and nothing settles it'
            WHEN a.state IN ('reversed', 'parked') THEN format('is %s, and %s is %s', a.state, i.ref, i.state)
            ELSE format('is %s for %s on %s; %s settles %s for %s on %s', a.qty, a.net, a.settlement_date, i.ref, i.qty,
                        i.amount, i.settlement_date) END AS what
  FROM allocations_allocation a
  LEFT JOIN allocations_settlementinstruction i ON i.allocation_id = a.id AND i.state <> 'canceled'
 WHERE (i.id IS NULL AND a.state = 'booked' AND NOT a.is_rounding
        AND a.booked_at <= current_setting('oms.fsck_at')::timestamptz - interval '60 seconds'
        AND NOT EXISTS (SELECT FROM allocations_settlementinstruction x WHERE x.allocation_id = a.id AND x.shares_until IS NOT NULL))
    OR (i.id IS NOT NULL AND a.state = 'parked')
    OR (i.id IS NOT NULL AND a.state = 'reversed' AND i.settled_qty = 0
        AND a.ended_at <= current_setting('oms.fsck_at')::timestamptz - interval '60 seconds')
    OR (i.id IS NOT NULL AND (i.account_id <> a.account_id OR i.settlement_date <> a.settlement_date
        OR i.delivery <> CASE WHEN a.side = '1' THEN 'RECE' ELSE 'DELI' END
        OR i.transforms_id IS NULL AND (i.qty <> a.qty
           OR i.amount <> greatest(CASE WHEN a.side = '1' THEN -a.net ELSE a.net END, 0))))
"""

# Whole shares of what was open, by the terms in force; what is within a millionth of one is that one.
_TRANSFORMED = f"""
WITH terms AS (
     SELECT a.id, a.kind, a.state, a.ex_date, a.instrument_id, a.updated_at, a.source || ':' || a.reference AS name,
            v.terms ->> 'fractions' AS fractions, coalesce((v.terms ->> 'ratio_new')::numeric, 1) AS new,
            coalesce((v.terms ->> 'ratio_old')::numeric, 1) AS old, v.terms ->> 'new_isin' AS isin
       FROM refdata_corporateaction a JOIN refdata_corporateactionversion v ON v.action_id = a.id AND v.number = a.version
      WHERE a.kind <> 'cash_dividend'
), newest AS (
     SELECT DISTINCT ON (n.transforms_id) n.*, n.taken_into ? n.action_id::text AS onward
       FROM allocations_settlementinstruction n WHERE n.transforms_id IS NOT NULL ORDER BY n.transforms_id, n.version DESC
), due AS (
     SELECT n.id, round(n.of_qty * CASE WHEN n.onward THEN t.new ELSE t.old END
                                 / CASE WHEN n.onward THEN t.old ELSE t.new END, 6) AS exact,
            n.onward AND t.fractions = 'up' AS up, t.kind
       FROM newest n JOIN terms t ON t.id = n.action_id
)
SELECT n.ref AS subject,
       format('is %s for %s made of %s of %s, of which %s for %s are open', n.qty, n.amount, n.of_qty, o.ref, o.qty - o.settled_qty,
              o.amount - o.settled_amount) AS what
  FROM newest n JOIN allocations_settlementinstruction o ON o.id = n.transforms_id JOIN due d ON d.id = n.id
 WHERE n.state <> 'canceled'
   AND (n.of_qty <> o.qty - o.settled_qty OR n.amount <> greatest(o.amount - o.settled_amount, 0) OR o.shares_until IS NULL
        OR CASE WHEN d.kind = 'name_change' THEN n.qty <> n.of_qty
                WHEN NOT n.onward AND o.transforms_id IS NOT NULL AND o.settled_qty = 0 AND o.action_id = n.action_id THEN n.qty <> o.of_qty
                WHEN d.up THEN n.qty <> ceil(d.exact) ELSE n.qty <> floor(d.exact) END)
 UNION ALL
SELECT o.ref, 'is closed for other shares, and nothing was made of it'
  FROM allocations_settlementinstruction o
 WHERE o.shares_until IS NOT NULL AND NOT EXISTS (SELECT FROM newest n WHERE n.transforms_id = o.id)
 UNION ALL
SELECT i.ref, format('is %s in shares that are no more since %s', i.state, t.name)
  FROM allocations_settlementinstruction i JOIN allocations_allocation a ON a.id = i.allocation_id
  JOIN allocations_block b ON b.id = a.block_id JOIN terms t ON t.instrument_id = b.instrument_id AND b.trade_date < t.ex_date
 WHERE i.state NOT IN ('settled', 'canceled', 'rejected') AND (t.kind <> 'name_change' OR t.isin <> '')
   AND t.ex_date >= (current_setting('oms.fsck_at')::timestamptz - interval '90 days')::date
   AND greatest(t.updated_at, i.created_at) <= current_setting('oms.fsck_at')::timestamptz - interval '{GRACE}'
   AND CASE WHEN t.state IN ('ex_applied', 'paying', 'applied') THEN NOT i.taken_into ? t.id::text
            ELSE t.state = 'undone' AND i.taken_into ? t.id::text END
   AND floor(round((i.qty - i.settled_qty) * t.new / t.old, 6)) > 0
"""

_SENT = """
SELECT i.ref AS subject, 'was sent to a custodian, and no file kept for it names it' AS what
  FROM allocations_settlementinstruction i
 WHERE i.instructed_at IS NOT NULL
   AND NOT EXISTS (SELECT FROM allocations_settlementfile f WHERE f.kind = 'sese.023' AND f.instructions ? i.ref)
 UNION ALL
SELECT f.place, 'does not have the digest it was made with'
  FROM allocations_settlementfile f WHERE f.sha256 <> encode(sha256(convert_to(f.content, 'UTF8')), 'hex')
 UNION ALL
SELECT s.ref, 'names a standing instruction of another account or currency'
  FROM allocations_settlementinstruction s JOIN allocations_standinginstruction t ON t.id = s.standing_id
 WHERE t.account_id <> s.account_id OR t.currency <> s.currency
"""

_APPROVED = """
SELECT format('standing instruction %s of account %s', s.version, s.account_id) AS subject,
       'was approved by no request' AS what
  FROM allocations_standinginstruction s
  LEFT JOIN authorisation_authorisationrequest r
    ON r.id = s.request_id AND r.kind = 'standing_instruction' AND r.state = 'approved'
 WHERE s.version > 1 AND r.id IS NULL
 UNION ALL
SELECT format('sending rule %s of account %s, market %s', s.version, s.account, s.mic), 'was approved by no request'
  FROM allocations_sendingrule s
  LEFT JOIN authorisation_authorisationrequest r
    ON r.id = s.request_id AND r.kind = 'post_trade_rules' AND r.state = 'approved'
 WHERE s.version > 1 AND r.id IS NULL
 UNION ALL
SELECT format('penalty rate %s of %s on %s', s.version, s.asset_class, s.mic), 'was approved by no request'
  FROM allocations_penaltyrate s
  LEFT JOIN authorisation_authorisationrequest r
    ON r.id = s.request_id AND r.kind = 'post_trade_rules' AND r.subject_type = 'penalty_rate' AND r.state = 'approved'
 WHERE r.id IS NULL
 UNION ALL
SELECT format('standing instruction %s of account %s', s.version, s.account_id), 'says other than its event'
  FROM allocations_standinginstruction s LEFT JOIN journal_event e ON e.id = s.event_id
 WHERE (e.payload -> 'terms' ->> 'agent', e.payload -> 'terms' ->> 'safekeeping_account', e.payload -> 'terms' ->> 'cash_account',
        e.payload -> 'terms' ->> 'place') IS DISTINCT FROM (s.agent, s.safekeeping_account, s.cash_account, s.place)
"""


_BUY_INS = """
SELECT i.ref AS subject, format('says of its buy-in %L; %s is open', i.buy_in, CASE WHEN b.id IS NULL THEN 'none' ELSE 'one' END) AS what
  FROM allocations_settlementinstruction i
  LEFT JOIN allocations_buyin b ON b.instruction_id = i.id AND b.state = 'initiated'
 WHERE (i.buy_in = 'started') <> (b.id IS NOT NULL)
 UNION ALL
SELECT i.ref, format('has a buy-in that is %s and was approved by no request', b.state)
  FROM allocations_buyin b JOIN allocations_settlementinstruction i ON i.id = b.instruction_id
  LEFT JOIN authorisation_authorisationrequest r
    ON r.id = b.request_id AND r.kind = 'post_trade_rules' AND r.subject_type = 'buy_in' AND r.state = 'approved'
 WHERE r.id IS NULL AND NOT (b.state = 'withdrawn' AND b.request_id IS NULL)
 UNION ALL
SELECT i.ref, 'has a buy-in that says other than its event'
  FROM allocations_buyin b JOIN allocations_settlementinstruction i ON i.id = b.instruction_id
  LEFT JOIN journal_event e ON e.id = b.event_id
 WHERE (e.payload ->> 'buy_in', e.payload ->> 'state', (e.payload ->> 'amount')::numeric, (e.payload ->> 'done_qty')::numeric)
       IS DISTINCT FROM (b.id::text, b.state::text, b.amount, b.done_qty)
 UNION ALL
SELECT i.ref, format('has a buy-in that cost %s, borne by %L; %s is booked', b.difference, b.bearer, coalesce(-k.amount, 0))
  FROM allocations_buyin b JOIN allocations_settlementinstruction i ON i.id = b.instruction_id
  LEFT JOIN (SELECT e.payload ->> 'buy_in_id' AS id, sum(c.amount) AS amount FROM accounts_booking c
               JOIN journal_event e ON e.id = c.event_id
              WHERE c.kind = 'claim' AND e.payload ? 'buy_in_id' GROUP BY 1) k ON k.id = b.id::text
 WHERE coalesce(-k.amount, 0) <> CASE WHEN b.bearer = '' THEN 0 ELSE b.difference END
"""


def differing_states(snapshot: Snapshot) -> Iterator[Found]:
    """Instructions that do not stand where the statuses on record leave them."""
    after = None
    while True:
        rows = SettlementInstruction.objects.order_by("id")
        chosen = list((rows.filter(id__gt=after) if after else rows)[:SLICE])
        if not chosen:
            return
        after = chosen[-1].id
        said, asked = statuses_by_instruction([row.id for row in chosen]), asked_of_all(chosen)
        for row in chosen:
            due = stand(asked[row.id], said.get(row.id, ()))
            if (row.state, row.settled_qty, row.settled_amount) != (due.state, due.settled_qty, due.settled_amount):
                what = (
                    f"is {row.state} with {row.settled_qty} units for {row.settled_amount}; its custodian's words leave it "
                    f"{due.state} with {due.settled_qty} for {due.settled_amount}"
                )
                yield Found(row.ref, what)


def differing_fractions(snapshot: Snapshot) -> Iterator[Found]:
    """Accounts whose pending stock is not what their transformed instructions bring."""
    codes = dict(TradingAccount.objects.values_list("id", "code"))
    quiet = snapshot.at - QUIET
    actions = CorporateAction.objects.filter(
        id__in=SettlementInstruction.objects.filter(action__isnull=False).values("action_id"), updated_at__lte=quiet
    )
    for action in actions.order_by("id"):
        if SettlementInstruction.objects.filter(action=action, closed_at__gt=quiet).exists():
            continue
        for one in fraction_moves(action, terms_of(action)):
            if (one.units, one.money) != (one.had_units, one.had_money):
                what = f"moved {one.had_units} units and {one.had_money} of parts of shares; {one.units} and {one.money} are due"
                yield Found(f"{action} of {codes[one.account_id]}", what)


CHECKS = (
    Check(
        "SETTLEMENT_BOOKED_WRONGLY", "I4", Level.MONEY,
        "What an instruction has settled is what its events say, and what they say was booked is booked.",
        "Stop taking files of custodians; compare the statuses of the instruction with its events; correct by a booking of its own.",
        sql=_BOOKED,
    ),
    Check(
        "SETTLEMENT_STATE_DIFFERS", "I4", Level.EXCEPTIONS,
        "Every instruction stands where all that its custodian said of it leaves it.",
        "The next status of it folds it anew; until then trust the statuses, not the state.",
        look=differing_states,
        reads_all=True,
    ),
    Check(
        "SETTLEMENT_NOT_AS_ALLOCATED", "I4", Level.EXCEPTIONS,
        "Every booked allocation has one open instruction that says the same, and none that was undone or is parked has one.",
        "Look whether the listener allocations.settle runs; it makes and cancels them.",
        sql=_ALLOCATED,
    ),
    Check(
        "SETTLEMENT_NOT_SENT", "I4", Level.EXCEPTIONS,
        "Every instruction that was sent is in a file that is kept byte for byte, by a standing instruction of its account.",
        "Ask the custodian what it has; send nothing a second time under the same reference.",
        sql=_SENT,
    ),
    Check(
        "SETTLEMENT_IN_OTHER_SHARES", "I4", Level.EXCEPTIONS,
        "What is open is instructed in the shares that hold now, made of what was open in others, for the same money.",
        "The sweeper instruct_settlements cancels and instructs anew; ask the custodian what it has under either reference.",
        sql=_TRANSFORMED,
    ),
    Check(
        "SETTLEMENT_FRACTIONS_DIFFER", "I4", Level.MONEY,
        "Pending stock of an account is what its transformed instructions bring; parts of shares moved into money to the minor unit.",
        "The sweeper instruct_settlements books what is missing; compare the bookings of the account with its instructions.",
        look=differing_fractions,
        reads_all=True,
    ),
    Check(
        "BUY_IN_DIFFERS", "I4", Level.EXCEPTIONS,
        "Every buy-in is what its event says, was approved step by step, and its instruction says whether one is open.",
        "Look who wrote it; what was bought in or paid is proved by the order or the agreement that it names.",
        sql=_BUY_INS,
    ),
    Check(
        "SSI_UNAPPROVED", "I4", Level.EXCEPTIONS,
        "Every change of where trades settle, when instructions leave and what a fail is taken to cost was approved by a second person.",
        "Hold back what waits for the account (end the standing instruction by two people), and look who wrote it.",
        sql=_APPROVED,
    ),
)  # fmt: skip
