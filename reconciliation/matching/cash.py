"""Cash of a bank against ours: what each matter moved on the day, and balances as of it.

A bank books a trade on the day it settles, and everything else on the day we did. Matters of the days beside it are loaded too:
an entry valued on another day is the same entry.
"""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal
from typing import Any

from kernel.numbers import ZERO
from reconciliation.domain.cash_matching import OurBalance, OurCash, TheirBalance, TheirEntry, judge_cash
from reconciliation.matching.comparing import MOST_JUDGED, Compared, Rows, Task
from reconciliation.matching.names import find_accounts, load_alternates

BESIDE = timedelta(days=7)
MOST_READ = 4 * MOST_JUDGED
"""Entries are read one by one: a statement of a day has fewer than these, or it is no statement of a day."""
_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{2,}")
_NAME = re.compile(r"(?=.*\d)(?=.*[A-Za-z]).{6,}")
"""A word of a narrative that can be a reference: some length, letters and digits. An amount or a word is none."""

_MATTERS = """
SELECT b.account_id, a.code AS account, b.currency, b.dated, b.matter::text AS matter, sum(b.amount) AS amount,
       coalesce(sum(b.amount) FILTER (WHERE b.kind IN ('commission', 'fee', 'tax')), 0) AS cost,
       coalesce(x.exec_id, u.name, b.event::text) AS ref, x.id AS execution_id, o.id AS order_id, o.ref AS order_ref,
       min(x.exec_ref_id) AS exec_ref_id, min(x.event_at) AS event_at, min(b.recorded_at) AS recorded_at, min(b.kind) AS kind,
       array_agg(DISTINCT b.event_id::text) AS events, j.payload ->> 'withdrawal_id' AS withdrawal_id,
       EXISTS (SELECT FROM accounts_suspenseaccount s WHERE s.account_id = b.account_id) AS suspense,
       ARRAY(SELECT r.cl_ord_id FROM orders_orderrequest r WHERE r.order_id = o.id AND r.cl_ord_id IS NOT NULL) AS cl_ord_ids
  FROM (SELECT account_id, currency, amount, kind, execution_id, order_id, event_id, recorded_at,
               coalesce(execution_id, order_id, event_id) AS matter,
               CASE WHEN execution_id IS NULL AND order_id IS NULL THEN event_id END AS event,
               CASE WHEN layer = 'settled' THEN trade_date ELSE settlement_date END AS dated
          FROM accounts_booking WHERE currency <> '') b
  JOIN accounts_tradingaccount a ON a.id = b.account_id
  LEFT JOIN orders_execution x ON x.id = b.execution_id
  LEFT JOIN orders_unknownorder u ON u.id = b.order_id AND b.execution_id IS NULL
  LEFT JOIN orders_order o ON o.id = coalesce(x.order_id, b.order_id)
  LEFT JOIN journal_event j ON j.id = b.event AND j.kind = 'WithdrawalBooked'
 WHERE b.dated BETWEEN %(first)s AND %(last)s
   AND NOT EXISTS (SELECT FROM accounts_canaryaccount c WHERE c.account_id = b.account_id)
 GROUP BY b.account_id, a.code, b.currency, b.dated, b.matter, b.event, x.id, x.exec_id, u.name, o.id, o.ref, j.payload ->> 'withdrawal_id'
HAVING sum(b.amount) <> 0
 ORDER BY a.code, b.currency, b.dated, 8, b.matter
"""
_BALANCES = """
SELECT b.account_id, a.code, b.currency,
       coalesce(sum(b.amount) FILTER (WHERE b.layer = 'settled' AND b.trade_date <= %(as_of)s), 0),
       coalesce(sum(b.amount) FILTER (WHERE b.layer <> 'settled' AND b.settlement_date <= %(as_of)s), 0)
  FROM accounts_booking b JOIN accounts_tradingaccount a ON a.id = b.account_id
 WHERE b.currency <> '' AND NOT EXISTS (SELECT FROM accounts_canaryaccount c WHERE c.account_id = b.account_id)
 GROUP BY b.account_id, a.code, b.currency
HAVING coalesce(sum(b.amount) FILTER (WHERE b.layer = 'settled' AND b.trade_date <= %(as_of)s), 0) <> 0
    OR coalesce(sum(b.amount) FILTER (WHERE b.layer <> 'settled' AND b.settlement_date <= %(as_of)s), 0) <> 0
"""


def compare(cursor: Any, task: Task) -> Compared:
    """All a statement says against all that moved, and every balance."""
    cursor.execute(f"SELECT count(*) FROM {task.table}")  # noqa: S608
    (external,) = cursor.fetchone()
    if external > MOST_READ:
        return Compared(0, external, 0, unjudged=external)
    cursor.execute(f"SELECT * FROM {task.table} ORDER BY line")  # noqa: S608
    rows = Rows(cursor).dicts()
    alternates = load_alternates(cursor, task.source)
    accounts = find_accounts(cursor, {row["account"] for row in rows}, alternates)
    entries = [_entry(row, accounts, alternates.executions) for row in rows if row["record"] == "entry"]
    balances = [_balance(row, accounts) for row in rows if row["record"] != "entry"]
    parameters = {"as_of": task.as_of, "first": task.as_of - BESIDE, "last": task.as_of + BESIDE}
    cursor.execute(_MATTERS, parameters)
    matters = [_matter(row, task) for row in Rows(cursor).dicts()]
    cursor.execute(_BALANCES, parameters)
    books = [OurBalance(*row) for row in cursor.fetchall()]
    only = {"what": frozenset([*([""] if entries else []), *(["balance"] if balances else [])])}
    if task.partial:
        spoken_of = set(accounts.values())
        matters = [one for one in matters if one.account_id in spoken_of]
        books = [one for one in books if one.account_id in spoken_of]
        only["account"] = frozenset([*accounts, *(one.account for one in books)])
    with_entries = bool(entries)
    judged = judge_cash(matters, entries, balances, books, rules=task.rules, with_entries=with_entries)
    expected = sum(one.expected for one in matters) if with_entries else 0
    told = {(row.account_id, row.currency) for row in balances}
    internal = (
        expected + judged.beyond + sum((book.account_id, book.currency) in told or not with_entries for book in books)
    )
    sums = _sums(matters if with_entries else [], entries, books, balances)
    return Compared(internal, external, judged.matched, judged.findings, only=only, sums=sums)


def _sums(
    matters: list[OurCash], entries: list[TheirEntry], books: list[OurBalance], balances: list[TheirBalance]
) -> dict[str, tuple[Decimal, Decimal]]:
    """By currency what the entries of the day and the balances at its end come to; of ours what had to settle is in it."""
    mine = [(f"entries {one.currency}", one.amount) for one in matters if one.expected]
    mine += [(f"balances {one.currency}", one.settled + one.due) for one in books if balances]
    said = [(f"entries {one.currency}", one.amount) for one in entries]
    said += [(f"balances {one.currency}", one.amount) for one in balances]
    found = {name: [ZERO, ZERO] for name, _ in (*mine, *said)}
    for side, amounts in enumerate((mine, said)):
        for name, amount in amounts:
            found[name][side] += amount
    return {name: (ours, theirs) for name, (ours, theirs) in sorted(found.items())}


def _matter(row: dict[str, Any], task: Task) -> OurCash:
    names = {row["ref"], row["exec_ref_id"], str(row["execution_id"] or ""), row["withdrawal_id"], *row["events"]} - {
        "",
        None,
    }
    happened = row["event_at"] or row["recorded_at"]
    after_cut = task.cut_at is not None and task.cut_at.date() == task.as_of and happened > task.cut_at
    return OurCash(
        key=f"{row['account_id']}:{row['currency']}:{row['matter']}:{row['dated']}:{row['ref']}",
        account_id=row["account_id"],
        account=row["account"],
        currency=row["currency"],
        amount=row["amount"],
        value_date=row["dated"],
        ref=row["ref"],
        refs=frozenset(names),
        group=row["order_ref"] or "",
        groups=frozenset([row["order_ref"], *row["cl_ord_ids"]]) - {None},
        kind=row["kind"],
        cost=row["cost"],
        expected=row["dated"] == task.as_of and not after_cut,
        order_id=row["order_id"],
        execution_id=row["execution_id"],
        at=happened,
        note="It lies in suspense: nobody has accepted it yet." if row["suspense"] else "",
    )


def _entry(row: dict[str, Any], accounts: dict[str, Any], executions: dict[str, str]) -> TheirEntry:
    ref = row["our_ref"] or ""
    told = [word for word in _WORD.findall(row["narrative"] or "") if _NAME.search(word)]
    words = dict.fromkeys([ref, *_WORD.findall(ref), *told])
    words |= dict.fromkeys(executions[word] for word in list(words) if word in executions)
    return TheirEntry(
        line=row["line"],
        account=row["account"],
        currency=row["currency"],
        amount=row["amount"],
        entry_ref=row["entry_ref"] or "",
        our_ref=ref,
        words=tuple(word for word in words if word),
        value_date=row["value_date"],
        account_id=accounts.get(row["account"]),
        narrative=row["narrative"] or "",
    )


def _balance(row: dict[str, Any], accounts: dict[str, Any]) -> TheirBalance:
    return TheirBalance(
        row["line"], row["account"], row["currency"], row["amount"], accounts.get(row["account"]), row["opening"]
    )
