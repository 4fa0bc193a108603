"""Sweeper: instructions that wait are sent to the custodian that their account's standing instruction names.

States, event (``SettlementInstructed``) and the bytes of the files are one transaction; ``write_settlement_files`` puts them
into the outgoing folder. So a restart sends nothing twice and nothing else under the same ref. Where no standing instruction is
in force the instruction waits, and SSI_MISSING is raised once for account, market and currency until it is sent.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from django.db import transaction

from accounts.models import TradingAccount
from allocations.domain import transitions as moves
from allocations.domain.instructing import Function
from allocations.locks import lock_waiting_instructions
from allocations.models import SettlementInstruction
from allocations.selectors.standing import standing_of
from allocations.services._settlement_events import INSTRUCTED, LINES_A_PART
from allocations.services._settlement_files import make_files
from authorisation.domain.principal import process_principal
from journal.bulk import update_rows
from journal.domain.chain import EventDraft
from journal.domain.records import Anomaly, Severity
from journal.services.append_to_stream import append_to_stream
from journal.services.set_anomaly import set_anomaly
from kernel.ids import new_id

ACTOR = process_principal("settlement")
SSI_MISSING = "SSI_MISSING"
NO_SSI = "NOSSI"
"""In ``reason_code`` of an instruction that waits because nobody has said where it settles."""
MOST = 5000
Scope = tuple[UUID, str, str]
"""Account, market, currency."""


def instruct_settlements(*, at: datetime, most: int = MOST) -> int:
    """How many were sent."""
    with transaction.atomic():
        waiting = lock_waiting_instructions(most)
        standing = standing_of([row.id for row in waiting])
        ready = [row for row in waiting if standing[row.id][0] is not None]
        without = [row for row in waiting if standing[row.id][0] is None]
        newly = [row for row in without if row.reason_code != NO_SSI]
        had_none = {_scope(row, standing) for row in ready if row.reason_code == NO_SSI}
        for row in ready:
            row.standing_id = standing[row.id][0]
        if ready:
            _send(ready, at)
        if newly:
            _mark(newly)
        _tell(_count(newly, standing), wrong=True, at=at)
        _tell(dict.fromkeys(had_none - {_scope(row, standing) for row in without}, 0), wrong=False, at=at)
    return len(ready)


def _scope(row: SettlementInstruction, standing: dict[UUID, tuple[int | None, str]]) -> Scope:
    return row.account_id, standing[row.id][1], row.currency


def _send(ready: Sequence[SettlementInstruction], at: datetime) -> None:
    """Rows, events and files of what can be sent."""
    drafts = []
    for start in range(0, len(ready), LINES_A_PART):
        chosen = ready[start : start + LINES_A_PART]
        event_id = new_id()
        for row in chosen:
            row.state, row.instructed_at, row.event_id = moves.INSTRUCTED, at, event_id
            row.reason_code = row.reason = ""
        update_rows(
            SettlementInstruction,
            [(row.id, row.state, at, row.standing_id, "", "", event_id) for row in chosen],
            key=("id",),
            fields=("state", "instructed_at", "standing_id", "reason_code", "reason", "event_id"),
        )
        ids = [row.id for row in chosen]
        places = make_files(instruction_ids=ids, function=Function.NEW, event_id=event_id, at=at)
        drafts.append(_draft(event_id, chosen, places, at))
    append_to_stream(drafts=drafts, at=at)


def _draft(event_id: UUID, chosen: Iterable[SettlementInstruction], places: list[str], at: datetime) -> EventDraft:
    return EventDraft(
        id=event_id,
        stream=f"settlement:{event_id}",
        kind=INSTRUCTED,
        actor=ACTOR.actor,
        correlation_id=event_id,
        event_at=at,
        received_at=at,
        business_date=at.date(),
        payload={
            "files": places,
            "lines": [
                {"instruction_id": str(row.id), "ref": row.ref, "standing_id": str(row.standing_id)} for row in chosen
            ],
        },
    )


def _mark(rows: Sequence[SettlementInstruction]) -> None:
    """They are known to wait, so that nobody is told at every look."""
    why = "No standing instruction is in force on its settlement date."
    update_rows(
        SettlementInstruction, [(row.id, NO_SSI, why) for row in rows], key=("id",), fields=("reason_code", "reason")
    )


def _count(rows: Iterable[SettlementInstruction], standing: dict[UUID, tuple[int | None, str]]) -> dict[Scope, int]:
    counts: defaultdict[Scope, int] = defaultdict(int)
    for row in rows:
        counts[_scope(row, standing)] += 1
    return counts


def _tell(scopes: dict[Scope, int], *, wrong: bool, at: datetime) -> None:
    codes = dict(TradingAccount.objects.filter(id__in={scope[0] for scope in scopes}).values_list("id", "code"))
    for scope, count in sorted(scopes.items()):
        account_id, mic, currency = scope
        code = codes[account_id]
        sentence = (
            f"{count} of account {code} cannot be instructed: no standing instruction for {mic} in {currency}."
            if wrong
            else f"{code} has a standing instruction for {mic} in {currency}."
        )
        anomaly = Anomaly(
            kind=SSI_MISSING,
            severity=Severity.HIGH,
            subject_type="account",
            subject_id=str(account_id),
            sentence=sentence,
            dedupe_key=f"ssi:{account_id}:{mic}:{currency}",
            evidence={"account": code, "mic": mic, "currency": currency},
        )
        set_anomaly(anomaly=anomaly, wrong=wrong, actor=ACTOR.actor, at=at)
