"""A second person's word on a file of the start of day: approved, it is staged and weighed anew and booked as it then is.

Nothing is booked by an old look: where more is wrong with it than the second person saw, it is not applied.
"""

from __future__ import annotations

from uuid import UUID

from authorisation.services.decide_request import Applied, Asking, NotApplied, Subject
from journal.bulk import raw_cursor
from kernel.errors import NotFound
from reconciliation.domain import intake_states as states
from reconciliation.formats.problems import FileProblem
from reconciliation.locks import lock_intake
from reconciliation.models import Intake
from reconciliation.services._weigh_file import Found, weigh_file
from reconciliation.services.ask_acceptance import KIND
from reconciliation.services.take_in import apply_weighed, note, staged_with_last, why_older


def _load(asking: Asking) -> Intake:
    intake_id = UUID(asking.payload["intake_id"])
    if not Intake.objects.filter(pk=intake_id).exists():
        raise NotFound("AUTHORISATION_UNKNOWN", "There is no such request that you may see.")
    return lock_intake(intake_id)


def _apply(asking: Asking, intake: Intake) -> Applied:
    if intake.state != states.WAITING:
        raise NotApplied(f"{intake.file.name} is {intake.state} by now.")
    older = why_older(intake)
    if older:
        raise NotApplied(older)
    try:
        with raw_cursor() as cursor, staged_with_last(cursor, intake) as (now, before):
            found = weigh_file(cursor, intake, now, before)
            worse = what_is_worse(found, asking.payload["issues"])
            if worse:
                raise NotApplied(worse)
            note(intake, found)
            apply_weighed(intake, actor=asking.actor, at=asking.at)
    except FileProblem as problem:
        raise NotApplied(problem.sentence) from problem
    return Applied(f"{intake.file.name} is in the books: {intake.changed:,} changed, {intake.refused:,} rows left out.")


def what_is_worse(found: Found, shown: dict[str, int]) -> str:
    """What is wrong with it now and was not, or not so often, when it was asked about; or the empty text."""
    for one in found.issues:
        if one.count > shown.get(one.code, 0):
            return f"More is wrong with it than was asked about: {one.sentence} ({one.count:,}, not {shown.get(one.code, 0):,})"
    return ""


def _decline(asking: Asking, intake: Intake) -> str:
    return f"{intake.file.name} stays out of the books until it is replaced."


_SUBJECT = Subject(KIND, _load, _apply, _decline)
decide_start_of_day = _SUBJECT.decide
"""Approve or decline.

Raises as ``authorisation.services.decide_request`` does; then nothing changed.
"""
