"""What the page of the start of day shows: each feed with what came of it, what was taken in last, and what stays blocked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from authorisation.domain.principal import Principal
from kernel.errors import NotFound, Unavailable
from reconciliation.domain import intake_states as states
from reconciliation.domain.records import START_OF_DAY
from reconciliation.models import Feed, FeedFile, Intake
from reconciliation.permissions import WORK_BREAK
from reconciliation.selectors.feeds import feed_state
from reconciliation.selectors.intakes import request_is_open, since_to_json

SHOWN = 20
GLYPHS = {
    states.STAGED: "▶", states.WAITING: "▲", states.APPLYING: "▶", states.APPLIED: "✔", states.REFUSED: "✖",
    states.CANCELED: "–", states.SUPERSEDED: "–",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class IntakeRow:
    """An intake with what the page says beside it. ``rate`` in rows a second and ``left_s`` while it is read."""

    intake: Intake
    glyph: str
    errors: int
    warnings: int
    is_moving: bool
    rate: int | None
    left_s: float | None


@dataclass(frozen=True, slots=True)
class FeedRow:
    """A feed of the start of day: what is due, what came, how far that is."""

    feed: Feed
    word: str
    due_at: datetime | None
    file: FeedFile | None
    row: IntakeRow | None
    is_ready: bool


def list_feed_rows(*, at: datetime) -> list[FeedRow]:
    """Feeds of the start of day, by code."""
    kinds = [kind.value for kind in START_OF_DAY]
    return [_feed_row(feed, at) for feed in Feed.objects.filter(kind__in=kinds).order_by("code")]


def _feed_row(feed: Feed, at: datetime) -> FeedRow:
    try:
        state = feed_state(feed, at=at)
    except Unavailable as problem:
        return FeedRow(feed, problem.sentence, None, None, None, is_ready=False)
    newest = Intake.objects.filter(file__feed=feed).select_related("file").order_by("-created_at", "-id").first()
    about = state.due.about if state.due else None
    ready = about is None or Intake.objects.filter(file__feed=feed, day__gte=about, state=states.APPLIED).exists()
    row = row_of(newest, at) if newest else None
    return FeedRow(feed, state.word.value, state.due.due_at if state.due else None, state.file, row, is_ready=ready)


def list_intake_rows(*, at: datetime) -> list[IntakeRow]:
    """The newest ones, whoever brought them."""
    found = Intake.objects.select_related("file").order_by("-created_at", "-id")[:SHOWN]
    return [row_of(intake, at) for intake in found]


def row_of(intake: Intake, at: datetime) -> IntakeRow:
    """With its counts of errors and warnings, and its pace."""
    by = {
        severity: sum(1 for one in intake.issues if one["severity"] == severity)
        for severity in ("error", "accept", "warning")
    }
    moving = intake.state in (states.STAGED, states.APPLYING)
    took = ((intake.stepped_at or at) - intake.created_at).total_seconds()
    rate = int(intake.done / took) if moving and intake.done and took > 0 else None
    total = intake.file.counted.get("rows") or intake.file.said.get("rows")
    left = (int(total) - intake.done) / rate if rate and total else None
    return IntakeRow(intake, GLYPHS[intake.state], by["error"] + by["accept"], by["warning"], moving, rate, left)


@dataclass(frozen=True, slots=True)
class Arrival:
    """A file that came, with the rows it says it has and those we counted: when it was looked into, else when it was taken in."""

    file: FeedFile
    said: int | None
    counted: int | None


def list_arrivals() -> Sequence[Arrival]:
    """The last five files of the start of day, used or not. Two statements."""
    kinds = [kind.value for kind in START_OF_DAY]
    files = FeedFile.objects.filter(kind__in=kinds).select_related("feed").order_by("-received_at", "-id")[:5]
    taken = Intake.objects.filter(file__in=[file.pk for file in files]).order_by("created_at", "id")
    rows = dict(taken.values_list("file_id", "rows"))
    return [Arrival(file, file.said.get("rows"), file.counted.get("rows") or rows.get(file.pk)) for file in files]


def get_intake(intake_id: UUID) -> Intake:
    """Raises NotFound INTAKE_UNKNOWN."""
    found = Intake.objects.select_related("file", "file__feed").filter(pk=intake_id).first()
    if found is None:
        raise NotFound("INTAKE_UNKNOWN", "There is no such file of the start of day.")
    return found


def why_not(actor: Principal, intake: Intake) -> dict[str, str]:
    """Why this person cannot ask for its acceptance, or put it away, now; the empty text where they can."""
    may = "" if WORK_BREAK in actor.rights else "Your role may not work on reconciliation."
    waits = "" if intake.state == states.WAITING else f"It is {intake.state}; only what waits is accepted."
    asked = "A second person is asked already." if not waits and request_is_open(intake) else ""
    ended = "" if intake.state in (states.STAGED, states.WAITING) else f"It is {intake.state} already."
    return {"accept": may or waits or asked, "cancel": may or ended}


def may_upload(actor: Principal) -> str:
    """Why not, or the empty text."""
    return "" if WORK_BREAK in actor.rights else "Your role may not take files in."


def since_of(intake: Intake) -> dict[str, Any] | None:
    """The difference to the file before, its balances as numbers."""
    since = since_to_json(intake)
    if since and intake.kind in ("cash", "holdings"):
        for row in since["rows"]:
            row |= {name: Decimal(row[name]) for name in ("was", "now") if row[name] is not None}
    return since


def totals_of(intake: Intake) -> list[dict[str, Any]]:
    """By currency: before, after, and what explains the change."""
    return [
        {"name": name, **{key: Decimal(value) for key, value in figures.items()}}
        for name, figures in sorted(intake.totals.items())
    ]
