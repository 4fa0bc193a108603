"""A custodian did not take a whole file (by telephone, or by its channel): every instruction in it counts as refused and is sent again.

It is taken in as a file of that custodian would be, so that the fold has a record of it. Where the custodian has said anything of
one of them it has the file: nothing is refused.
"""

from __future__ import annotations

from datetime import datetime

from allocations.domain import transitions as moves
from allocations.formats.settlement_csv import write_statuses
from allocations.formats.status_records import StatusLine
from allocations.locks import lock_instructions
from allocations.models import SettlementFile, SettlementInstruction, SettlementStatus
from allocations.permissions import require_work
from allocations.selectors.settlement import visible_instructions
from allocations.services._acting import Acted, once, require_reason
from allocations.services._on_one_instruction import NotPossible
from allocations.services.receive_statuses import receive_statuses
from allocations.services.send_again import make_next
from authorisation.domain.principal import Principal
from kernel.errors import NotFound

REASON_CODE = "FILE"


def refuse_file(*, actor: Principal, at: datetime, idempotency_key: str, route: str, place: str, reason: str) -> Acted:
    """Raises NotPermitted RIGHT_MISSING, Invalid REASON_INVALID, NotFound FILE_UNKNOWN, NotPossible FILE_NOT_OF_INSTRUCTIONS or
    FILE_WAS_TAKEN; then nothing changed."""
    require_work(actor)
    why = require_reason(reason)

    def act() -> Acted:
        file, rows = _load(actor, place)
        sent = [row for row in rows if row.state in (moves.INSTRUCTED, moves.FAILED)]
        if SettlementStatus.objects.filter(instruction__in=rows).exists() or not sent:
            raise NotPossible("FILE_WAS_TAKEN", f"{file.agent} has spoken of what is in {file.place}: it has the file.")
        lines = [_refused(number, row, why, at) for number, row in enumerate(sent, start=2)]
        receive_statuses(actor=actor, at=at, content=write_statuses(lines).encode(), source=file.agent)
        locked = lock_instructions([row.id for row in sent])
        refused = [row for row in locked.values() if row.state == moves.REJECTED]
        make_next(refused, actor=actor, at=at, why=f"{file.agent} did not take {file.place}: {why}"[:400])
        return Acted(f"{len(refused)} instructions of {file.place} are sent again under new references.")

    return once(actor=actor, at=at, route=route, key=idempotency_key, content={"place": place, "reason": why}, act=act)


def _load(actor: Principal, place: str) -> tuple[SettlementFile, list[SettlementInstruction]]:
    """The file and its instructions, all of which the actor sees."""
    file = SettlementFile.objects.filter(place=place).first()
    rows = list(visible_instructions(actor).filter(ref__in=file.instructions)) if file is not None else []
    if file is None or len(rows) != len(file.instructions):
        raise NotFound("FILE_UNKNOWN", "There is no such file that you may see.", {"place": place[:120]})
    if file.kind == SettlementFile.Kind.SESE_020 or any(row.instructed_at is None for row in rows):
        raise NotPossible("FILE_NOT_OF_INSTRUCTIONS", f"{file.place} asks to cancel; only instructions are sent again.")
    return file, rows


def _refused(number: int, row: SettlementInstruction, why: str, at: datetime) -> StatusLine:
    return StatusLine(
        line=number, raw="", our_ref=row.ref, their_ref="", status=moves.REJECTED, qty=None, amount=None, currency=row.currency,
        reason_code=REASON_CODE, reason=why, effective_at=at,
    )  # fmt: skip
