"""Sweeper: what a feed gates trades only on figures of the day. A stop under ``start_of_day:<feed>`` stands from when the feed's
file was due until one is applied: for the firm while there is none, then for the accounts whose rows were left out.

Few rows by design: more accounts than ``MOST_ACCOUNTS`` are the firm. Feeds that nobody waits for gate nothing. Whatever stands
under a feed's name and has no reason any more is lifted here, and by nobody else; a word of two that opened it ends with it.
"""

from __future__ import annotations

from datetime import datetime

from accounts.models import TradingAccount
from authorisation.domain.principal import process_principal
from kernel.errors import Unavailable
from reconciliation.domain import intake_states as states
from reconciliation.domain.intake_rules import Severity
from reconciliation.models import Feed, Intake
from reconciliation.selectors.feeds import feed_state
from reconciliation.selectors.gates import SOURCE
from risk.models import Block, Waiver
from risk.services.end_waiver import end_waiver
from risk.services.impose_block import impose_block
from risk.services.lift_block import lift_block

ACTOR = process_principal("start_of_day")
MOST_ACCOUNTS = 200
Stop = tuple[str, str]
"""Scope and its id."""


def set_gates(*, at: datetime) -> int:
    """How many stops were set or lifted."""
    changed = 0
    known = set()
    for feed in Feed.objects.filter(gates=True, watched_from__isnull=False, watched_from__lte=at.date()).order_by(
        "code"
    ):
        known.add(f"{SOURCE}{feed.code}")
        changed += _set(f"{SOURCE}{feed.code}", _wanted(feed, at), at)
    for source in {block.source for block in _standing()} - known:
        changed += _set(source, {}, at)
    return changed + _end_openings(at)


def _end_openings(at: datetime) -> int:
    """Words that opened a gate whose time is over: they let nothing pass since, and now they are told to have ended."""
    over = Waiver.objects.filter(ended_at__isnull=True, until__lte=at).order_by("id").values_list("id", flat=True)
    return sum(end_waiver(actor=ACTOR, at=at, waiver_id=waiver_id, reason="Its time is over.") for waiver_id in over)


def _wanted(feed: Feed, at: datetime) -> dict[Stop, str]:
    """What must stand for the feed now, and why."""
    try:
        state = feed_state(feed, at=at)
    except Unavailable as problem:  # nobody knows what is due: nothing is assumed to be here
        return {("firm", ""): f"{feed.title}: {problem.sentence}"}
    if state.due is None:
        return {}
    applied = (
        Intake.objects.filter(file__feed=feed, day__gte=state.due.about, state=states.APPLIED)
        .order_by("-cut_at", "-created_at", "-id")
        .first()
    )
    if applied is None:
        return {("firm", ""): f"{feed.title} of {state.due.about} is not in the books: it is {state.word.value}."}
    left_out = _left_out(applied)
    if left_out is None:
        return {
            ("firm", ""): f"{feed.title}: too many rows of {applied.file.name} were left out to name their accounts."
        }
    why = f"{feed.title}: a row of {applied.file.name} about it was left out."
    return {("account", account_id): why for account_id in left_out}


def _left_out(intake: Intake) -> set[str] | None:
    """Accounts whose rows were left out, as far as they are ours; None where they are too many, or not all are named."""
    errors = [one for one in intake.issues if one["severity"] == Severity.ERROR]
    if any(one["count"] > len(one["lines"]) for one in errors):
        return None
    codes = {line["value"] for one in errors for line in one["lines"]}
    found = TradingAccount.objects.filter(code__in=codes).values_list("id", flat=True)
    return None if len(found) > MOST_ACCOUNTS else {str(account_id) for account_id in found}


def _standing(source: str = "") -> list[Block]:
    blocks = Block.objects.filter(lifted_at__isnull=True, source__startswith=SOURCE)
    return list((blocks.filter(source=source) if source else blocks).order_by("id"))


def _set(source: str, wanted: dict[Stop, str], at: datetime) -> int:
    standing = {(block.scope, block.scope_id) for block in _standing(source)}
    for scope, scope_id in sorted(wanted.keys() - standing):
        impose_block(actor=ACTOR, at=at, scope=scope, scope_id=scope_id, source=source, reason=wanted[scope, scope_id])
    for scope, scope_id in sorted(standing - wanted.keys()):
        lift_block(
            actor=ACTOR, at=at, scope=scope, scope_id=scope_id, source=source, reason="The file is in the books."
        )
    return len(standing ^ wanted.keys())
