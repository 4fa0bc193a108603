"""What decides when instructions leave: rules in force, cut-offs, affirmations. The same for the sweeper that sends and for the page."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import Q

from accounts.models import TradingAccount
from allocations.domain.leaving import (
    COLUMNS,
    InstructRule,
    SendingTerms,
    Verdict,
    Waiting,
    leave_by,
    parse_rules,
    verdict,
)
from allocations.domain.terms import BY_HAND, NOBODY, default_terms
from allocations.models import Block, SendingRule
from allocations.selectors.confirming import terms_of
from authorisation.domain.principal import Principal
from journal.bulk import raw_cursor
from kernel.errors import InvariantBroken
from orders.permissions import visible_groups
from refdata.domain.import_rows import read_rows
from refdata.selectors import get_market_clock

FILE = Path(__file__).resolve().parents[1] / "data" / "instruct_cut_offs.csv"
_WAITING = """
SELECT i.id, i.ref, i.settlement_date, i.trade_date, p.instructed_at IS NOT NULL, i.held_at IS NOT NULL, i.reason_code, t.code,
       l.market_id, m.time_zone, b.id, b.number, b.kind, b.session_group, coalesce(c.state = 'affirmed', false)
  FROM allocations_settlementinstruction i
  JOIN accounts_tradingaccount t ON t.id = i.account_id
  JOIN allocations_allocation a ON a.id = i.allocation_id
  JOIN allocations_block b ON b.id = a.block_id
  JOIN refdata_listing l ON l.id = b.listing_id
  JOIN refdata_market m ON m.mic = l.market_id
  LEFT JOIN allocations_settlementinstruction p ON p.id = i.replaces_id
  LEFT JOIN allocations_confirmation c ON c.allocation_id = i.allocation_id AND c.state <> 'canceled'
 WHERE i.state = 'waiting' AND {which}
 ORDER BY i.settlement_date, i.id LIMIT %s
"""
_NEXT = _WAITING.format(which="(i.settlement_date, i.id) > (%s, %s)")
_NAMED = _WAITING.format(which="i.id = ANY(%s::uuid[])")
_FIRST = (date(1, 1, 1), UUID(int=0))
Place = tuple[date, UUID]
"""Settlement date and id: where a look goes on."""


@dataclass(frozen=True, slots=True)
class Seen:
    """An instruction that waits, with what its rule says of it now."""

    id: UUID
    ref: str
    settlement_date: date
    reason_code: str
    block_id: UUID
    block_ref: str
    waiting: Waiting
    verdict: Verdict

    @property
    def place(self) -> Place:
        return self.settlement_date, self.id


@cache
def instruct_cut_offs() -> tuple[InstructRule, ...]:
    """Every dated line. Raises InvariantBroken INSTRUCT_CUT_OFFS_FAULTY when our own file cannot be read."""
    rows, issues = read_rows(FILE.read_text(encoding="utf-8"), COLUMNS)
    if issues:
        raise InvariantBroken("INSTRUCT_CUT_OFFS_FAULTY", issues[0].sentence)
    try:
        return parse_rules(rows)
    except ValueError as error:
        raise InvariantBroken("INSTRUCT_CUT_OFFS_FAULTY", str(error)) from error


def sending_rules() -> list[SendingTerms]:
    """Every version of every rule: they are few."""
    rows = SendingRule.objects.order_by("id")
    return [SendingTerms(row.account, row.mic, row.leaves, row.valid_from, row.version) for row in rows]


def list_sending_rules(actor: Principal) -> list[SendingRule]:
    """The newest version of each: of markets, and of the accounts that the actor sees."""
    rows = SendingRule.objects.order_by("account", "mic", "-version").distinct("account", "mic")
    if not actor.is_process:
        seen = TradingAccount.objects.filter(group_id__in=visible_groups(actor)).values("code")
        rows = rows.filter(Q(account="") | Q(account__in=seen))
    return list(rows)


def next_waiting(*, at: datetime, after: Place | None, most: int) -> list[Seen]:
    """What waits, by settlement date, behind ``after``."""
    return _seen(_NEXT, [*(after or _FIRST), most], at)


def waiting_of(instruction_ids: Collection[UUID], *, at: datetime) -> dict[UUID, Seen]:
    """Of these, those that wait."""
    if not instruction_ids:
        return {}
    return {one.id: one for one in _seen(_NAMED, [list(instruction_ids), len(instruction_ids)], at)}


def _seen(statement: str, values: Sequence[Any], at: datetime) -> list[Seen]:
    with raw_cursor(binary=True) as cursor:
        cursor.execute(statement, values)
        rows = cursor.fetchall()
    if not rows:
        return []
    rules = sending_rules()
    terms = terms_of({row[13] or NOBODY for row in rows})
    marks: dict[tuple[str, date, date], datetime] = {}
    found = []
    for key, ref, settles, traded, again, held, code, account, mic, zone, block, number, kind, group, affirmed in rows:
        party = terms.get(group or NOBODY) or default_terms(NOBODY)
        if (mic, traded, settles) not in marks:
            marks[mic, traded, settles] = _cut_off(mic, zone, traded, settles)
        waiting = Waiting(
            account=account, mic=mic, trade_date=traded, leave_by=marks[mic, traded, settles],
            is_confirmed=kind == Block.Kind.BLOCK or party.confirms_direct, party_confirms=party.channel != BY_HAND,
            affirmed=affirmed, again=again, held=held,
        )  # fmt: skip
        found.append(Seen(key, ref, settles, code, block, f"B-{number}", waiting, verdict(waiting, rules, at=at)))
    return found


def _cut_off(mic: str, zone: str, traded: date, settles: date) -> datetime:
    holidays = get_market_clock(mic).settlement_holidays
    return leave_by(
        instruct_cut_offs(), mic=mic, zone=ZoneInfo(zone), trade_date=traded, settlement_date=settles, holidays=holidays
    )
