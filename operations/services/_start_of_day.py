"""The steps of the start of a day at one place: files that are owed have come, what they say is booked, what venues list as open is
held against ours, the rest is compared.

The gates that keep accounts from trading are start of day's own (``reconciliation.services.take_in``): they lift with each
file that is applied, not with this run.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from authorisation.domain.principal import process_principal
from operations.domain.day_steps import Outcome
from operations.models import DayRun
from operations.services._compare_files import compare
from reconciliation.domain.feeds import latest_due
from reconciliation.domain.intake_states import APPLIED, OPEN
from reconciliation.models import Feed, FeedFile, Intake
from reconciliation.selectors.feeds import FeedState, Word, business_days, feed_state, terms_of
from reconciliation.services.take_in_together import take_in_together

ACTOR = process_principal("day")
BOOKED = ("accounts", "cash", "holdings")
OPEN_ORDERS = "open_orders"


def feeds(run: DayRun, at: datetime) -> Outcome:
    """Every file that must be there is there; of one that may be missing nothing is waited for."""
    states = _states(run, at)
    lacking = [one for one in states if one.word is not Word.HERE and one.feed.mandatory]
    figures = {"here": len([one for one in states if one.word is Word.HERE]), "of": len(states)}
    if lacking:
        said = ", ".join(f"{one.feed.title} ({one.word.value})" for one in lacking)
        return Outcome(False, f"{figures['here']} of {figures['of']} are here; waited for: {said}.", figures)
    return Outcome(True, f"{figures['here']} of {figures['of']} are here.", figures)


def intake(run: DayRun, at: datetime) -> Outcome:
    """Files of accounts, cash and holdings are taken into the books; one that waits for a second person is waited for."""
    taken = _taken(_files(run, at, BOOKED), at)
    figures = {"files": len(taken), "changed": sum(one.changed for one in taken)}
    return _unfinished(taken, figures) or Outcome(
        True, f"{figures['files']} files are in our books, {figures['changed']} rows changed them.", figures
    )


def open_orders(run: DayRun, at: datetime) -> Outcome:
    """What venues list as open is held against our open orders: nothing is booked by it, and what differs waits for a second person.

    ``since`` counts what the list says otherwise than the one before; each rule that is broken is counted by its code.
    """
    taken = _taken(_files(run, at, (OPEN_ORDERS,)), at)
    figures: dict[str, Any] = {"files": len(taken), "agree": sum(one.unchanged for one in taken)}
    for one in taken:
        for issue in one.issues:
            figures[issue["code"]] = figures.get(issue["code"], 0) + issue["count"]
        for word in ("new", "changed", "gone"):
            figures[f"since_{word}"] = figures.get(f"since_{word}", 0) + one.since.get(word, 0)
    if not taken:
        return Outcome(True, "No venue's list of open orders is due.", figures)
    said = f"{figures['files']} lists of open orders: {figures['agree']} orders are as we have them."
    return _unfinished(taken, figures) or Outcome(True, said, figures)


def _unfinished(taken: Sequence[Intake], figures: Mapping[str, Any]) -> Outcome | None:
    """Why the step cannot end yet; None when every file was applied."""
    failed = [one for one in taken if one.state not in OPEN and one.state != APPLIED]
    if failed:
        why = "; ".join(f"{one.file.name} is {one.state}: {one.sentence}" for one in failed)
        return Outcome(False, f"Another file is needed. {why}", figures)
    waiting = [one for one in taken if one.state in OPEN]
    if waiting:
        why = "; ".join(f"{one.file.name}: {one.sentence}" for one in waiting)
        return Outcome(False, f"A second person must accept. {why}", figures)
    return None


def _taken(files: Sequence[FeedFile], at: datetime) -> list[Intake]:
    """What became of the files; one is taken in unless that was tried already and came to an end."""
    ended, left = [], []
    for file in files:
        last = Intake.objects.filter(file=file).select_related("file").order_by("-created_at", "-id").first()
        if last is not None and last.state not in OPEN:
            ended.append(last)
        else:
            left.append(file)
    return [*ended, *take_in_together(actor=ACTOR, at=at, files=left)]


def _states(run: DayRun, at: datetime) -> Sequence[FeedState]:
    """Of the place's feeds whose file is due on the run's day (of an earlier day: as it stands by now)."""
    found = []
    for feed in Feed.objects.filter(watched_from__isnull=False, lag__gte=1).order_by("code"):
        if (feed.market_id or feed.settlement_calendar) != run.place:
            continue
        terms = terms_of(feed)
        due = latest_due(terms, business_days(feed, at.astimezone(terms.zone).date()), at)
        if due is not None and due.day >= run.day:
            found.append(feed_state(feed, at=at))
    return found


def _files(run: DayRun, at: datetime, kinds: Collection[str]) -> list[FeedFile]:
    return [one.file for one in _states(run, at) if one.word is Word.HERE and one.file and one.file.kind in kinds]


WORK: Mapping[str, Callable[[DayRun, datetime], Outcome]] = {
    "feeds": feeds,
    "intake": intake,
    "open_orders": open_orders,
    "compare": compare,
}
