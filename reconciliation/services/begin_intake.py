"""Begin to take a file of the start of day in: its row, which whoever does the rest goes on from, and what gives way to it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from datetime import time as day_time
from uuid import UUID

from django.db import transaction

from authorisation.domain.principal import Principal
from kernel.errors import Conflict, Invalid, NotFound
from kernel.ids import new_id
from reconciliation.domain import intake_states as states
from reconciliation.domain.records import START_OF_DAY
from reconciliation.locks import lock_intakes_of, lock_older_intakes
from reconciliation.models import FeedFile, Intake
from reconciliation.permissions import require_work
from reconciliation.services._intake_events import tell


def begin_intake(*, actor: Principal, at: datetime, file_id: UUID) -> Intake:
    """The open intake of the file, or a new one.

    Raises NotPermitted RIGHT_MISSING, NotFound FILE_UNKNOWN, Invalid FILE_NOT_OF_START, Conflict FILE_REFUSED.
    """
    require_work(actor)
    file = FeedFile.objects.select_related("feed").filter(pk=file_id).first()
    if file is None:
        raise NotFound("FILE_UNKNOWN", "There is no such file.")
    if file.kind not in START_OF_DAY:
        raise Invalid("FILE_NOT_OF_START", f"A file of {file.kind} is for reconciliation, not for the start of day.")
    if file.state == FeedFile.State.REFUSED:
        raise Conflict("FILE_REFUSED", f"{file.name} was refused when it came; nothing of it is used.")
    return _begin(file, actor, at)


def _begin(file: FeedFile, actor: Principal, at: datetime) -> Intake:
    """The open intake of the file, or a new one; older open ones of its kind and source give way to it."""
    with transaction.atomic():
        lock_intakes_of(kind=file.kind, source=file.source)
        mine = Intake.objects.filter(file=file, state__in=states.OPEN).first()
        if mine is not None:
            return mine
        for other in lock_older_intakes(kind=file.kind, source=file.source, states=(states.STAGED, states.WAITING)):
            other.supersede()
            end_intake(other, f"{file.name} came in its place.", at)
            tell(other, "IntakeSuperseded", actor=actor, at=at)
        day = file.statement_date or at.date()
        return Intake.objects.create(
            id=new_id(), file=file, kind=file.kind, source=file.source, day=day, cut_at=cut_of(file, day),
            step="reading", started_by=actor.actor, created_at=at, stepped_at=at,
        )  # fmt: skip


def cut_of(file: FeedFile, day: date) -> datetime:
    """As of when the figures are: as the file says, else the end of its day, and never after it came."""
    end = datetime.combine(day + timedelta(days=1), day_time.min, UTC)
    return min(file.cut_at or end, file.received_at)


def end_intake(intake: Intake, sentence: str, at: datetime) -> None:
    """Into its row: that it ended, as its state says, and why."""
    intake.sentence, intake.step, intake.stepped_at, intake.ended_at = sentence, str(intake.state), at, at
    intake.version += 1
    intake.save()
