"""What letting a file of the start of day in would do, by a dry run of now."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from uuid import UUID

from authorisation.domain.four_eyes import RequestFacts
from authorisation.domain.principal import Principal
from operations.domain.effect import Effect, EffectLine
from reconciliation.domain import intake_states as states
from reconciliation.formats.problems import FileProblem
from reconciliation.models import Intake
from reconciliation.services.decide_start_of_day import what_is_worse
from reconciliation.services.preview_intake import preview_intake
from reconciliation.services.take_in import why_older

DRY_RUN_ROWS = 100_000
"""A larger file is shown as it was weighed last; it is weighed again before anything is booked."""


def describe_start_of_day(actor: Principal, facts: RequestFacts, at: datetime) -> Effect:
    """Totals before and after, what is left out, and what a person must know."""
    asked = facts.payload
    intake = Intake.objects.select_related("file").get(pk=UUID(asked["intake_id"]))
    issues, totals, changed, refused = intake.issues, intake.totals, intake.changed, intake.refused
    obstacle = "" if intake.state == states.WAITING else f"It is {intake.state} by now."
    obstacle = obstacle or why_older(intake)
    warnings: tuple[str, ...] = ()
    if not obstacle and intake.rows <= DRY_RUN_ROWS:
        try:
            found = preview_intake(intake)
        except FileProblem as problem:
            obstacle = problem.sentence
        else:
            obstacle = what_is_worse(found, asked["issues"])
            issues, totals = [one.to_json() for one in found.issues], found.totals
            changed, refused = found.changed, found.refused
    elif not obstacle:
        warnings = (f"Shown as weighed at {intake.stepped_at:%H:%M:%S} UTC; it is weighed again before it is booked.",)
    return Effect(
        headline=f"{asked['file']} goes into the books: {changed:,} {_noun(intake.kind)} change, {refused:,} rows are left out",
        button=f"let {asked['file']} in",
        lines=tuple(
            EffectLine(f"Settled, {name}", _text(figures["before"]), _text(figures["after"]), _note(figures), drifts=True)
            for name, figures in totals.items()
        ),
        warnings=(*warnings, *(f"{one['count']:,} × {one['code']}: {one['sentence']}" for one in issues)),
        obstacle=obstacle,
        irreversible="Bookings stay; a later file of the source sets the layer again.",
    )  # fmt: skip


def _noun(kind: str) -> str:
    return "accounts" if kind == "accounts" else "balances"


def _note(figures: dict[str, str]) -> str:
    return f"{_text(figures['settled_now'])} of it are trades that settled, {_text(figures['unexplained'])} nothing explains"


def _text(amount: str) -> str:
    return f"{Decimal(amount):,}".replace("-", "\u2212")
