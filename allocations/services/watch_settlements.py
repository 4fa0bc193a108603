"""Sweeper: what has not settled when its day is over has failed; it ages in settlement days, and at its market's mark is bought in.

A day is over at midnight of the market. SETTLEMENT_FAILED is raised for each at once, again as critical when a buy-in is due, and
cleared when it settles or is undone (``_apply_statuses``, ``on_allocated_settle``). Where a custodian never said a word about many
of a day, that silence is the one matter (CUSTODIAN_SILENT): a person asks for its file and is not told of each. Penalties are the
depository's: shown, not booked.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from django.db import transaction

from allocations.domain import transitions as moves
from allocations.domain.buy_in import age_in_days, buy_in_day, rule_for
from allocations.domain.instructing import DELIVER
from allocations.locks import lock_instructions
from allocations.models import SettlementInstruction, SettlementStatus, StandingInstruction
from allocations.selectors.buy_in import buy_in_rules
from allocations.services._settlement_events import FAILED, Moved, record_moves, settlement_anomaly, tell
from authorisation.domain.principal import process_principal
from journal.bulk import raw_cursor
from journal.domain.records import ANOMALY_RAISED, Anomaly, Severity
from kernel.fix import Side
from kernel.ids import new_id
from kernel.numbers import ZERO, plain
from refdata.selectors import get_market_clock

ACTOR = process_principal("settlement")
MOST = 1000
MANY = 10
SILENT = "CUSTODIAN_SILENT"
_DUE = """
SELECT i.id, m.mic, a.side, (%(at)s AT TIME ZONE m.time_zone)::date
  FROM allocations_settlementinstruction i
  JOIN allocations_allocation a ON a.id = i.allocation_id
  JOIN allocations_block b ON b.id = a.block_id
  JOIN refdata_listing l ON l.id = b.listing_id
  JOIN refdata_market m ON m.mic = l.market_id
 WHERE i.state IN ('instructed', 'matched', 'pending', 'partial', 'failed')
   AND i.settlement_date < (%(at)s AT TIME ZONE m.time_zone)::date
   AND (i.failing_since IS NULL OR i.buy_in = '' AND i.buy_in_on <= (%(at)s AT TIME ZONE m.time_zone)::date)
 ORDER BY i.settlement_date, i.id LIMIT %(most)s
"""


@dataclass(frozen=True, slots=True)
class _Market:
    mic: str
    is_short: bool
    today: date


def watch_settlements(*, at: datetime, most: int = MOST) -> int:
    """How many failed now, or came to their mark."""
    with transaction.atomic():
        about = _due(at, most)
        rows = [
            row for row in lock_instructions(list(about)).values() if row.state not in (moves.SETTLED, moves.CANCELED)
        ]
        moved = [_fail(row, about[row.id]) for row in rows]
        record_moves(actor=ACTOR, at=at, batch_id=new_id(), moved=moved, why="its day is over")
        silent = _silent(rows)
        unheard = {row.id for group in silent.values() for row in group}
        anomalies = [_anomaly(row, about[row.id]) for row in rows if row.id not in unheard]
        anomalies += [_silence(agent, day, group) for (agent, day), group in sorted(silent.items())]
        tell(anomalies, kind=ANOMALY_RAISED, actor=ACTOR, at=at)
    return len(rows)


def _silent(rows: Sequence[SettlementInstruction]) -> dict[tuple[str, date], list[SettlementInstruction]]:
    """By custodian and day what nothing was ever said of, where that is many; what must be bought in is told by itself."""
    said = set(SettlementStatus.objects.filter(instruction__in=rows).values_list("instruction_id", flat=True))
    agents = dict(
        StandingInstruction.objects.filter(id__in={row.standing_id for row in rows}).values_list("id", "agent")
    )
    groups: defaultdict[tuple[str, date], list[SettlementInstruction]] = defaultdict(list)
    for row in rows:
        if row.id not in said and not row.buy_in and row.standing_id is not None:
            groups[agents[row.standing_id], row.settlement_date].append(row)
    return {place: group for place, group in groups.items() if len(group) >= MANY}


def _silence(agent: str, day: date, group: Sequence[SettlementInstruction]) -> Anomaly:
    return Anomaly(
        kind=SILENT,
        severity=Severity.HIGH,
        subject_type="custodian",
        subject_id=agent,
        sentence=f"{agent} has said nothing of {len(group)} instructions that were to settle on {day}: ask for its files.",
        dedupe_key=f"custodian-silent:{agent}:{day}",
        evidence={
            "agent": agent,
            "settlement_date": day.isoformat(),
            "instructions": [row.ref for row in group[:MANY]],
        },
    )


def _due(at: datetime, most: int) -> dict[UUID, _Market]:
    with raw_cursor(binary=True) as cursor:
        cursor.execute(_DUE, {"at": at, "most": most})
        return {key: _Market(mic, Side(side).is_short, today) for key, mic, side, today in cursor.fetchall()}


def _fail(row: SettlementInstruction, market: _Market) -> Moved:
    was = row.state
    if row.failing_since is None:
        row.failing_since = row.settlement_date
        row.buy_in_on = _bought_in_from(row, market)
    if row.state in (moves.INSTRUCTED, moves.MATCHED, moves.PENDING, moves.PARTIAL):
        row.state = moves.FAILED
    if not row.buy_in and row.buy_in_on is not None and row.buy_in_on <= market.today:
        row.buy_in = SettlementInstruction.BuyIn.DUE
    return Moved(row, was, ZERO, ZERO, ZERO, ZERO)


def _bought_in_from(row: SettlementInstruction, market: _Market) -> date | None:
    """Only what we fail to deliver is ours to buy in."""
    if row.delivery != DELIVER:
        return None
    rule = rule_for(buy_in_rules(), mic=market.mic, is_short=market.is_short, settlement_date=row.settlement_date)
    return buy_in_day(rule, row.settlement_date, get_market_clock(market.mic).settlement_holidays)


def _anomaly(row: SettlementInstruction, market: _Market) -> Anomaly:
    age = age_in_days(row.settlement_date, market.today, get_market_clock(market.mic).settlement_holidays)
    why = " ".join(part for part in (row.reason_code, row.reason) if part) or "no reason given"
    sentence = (
        f"{plain(row.qty - row.settled_qty)} of {plain(row.qty)} units should have settled on {row.settlement_date} "
        f"({age} settlement days ago; {why})."
    )
    if row.buy_in:
        sentence += f" Its buy-in is {row.buy_in}, by the rule of {market.mic} since {row.buy_in_on}."
    severity = Severity.CRITICAL if row.buy_in else Severity.HIGH
    return settlement_anomaly(FAILED, row, sentence, severity=severity, age_days=str(age))
