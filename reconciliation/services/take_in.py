"""Take a file of the start of day into the books: stage, weigh against rules and books, and book it if it is clean.

A file with rows that cannot be used, or with changes beyond the tolerances, waits for a second person (``ask_acceptance``);
one that is doubted as a whole, or older than what was applied, is refused. What waits is weighed again when it is accepted:
nothing is ever booked by an old look.

Restartable at every step: the intake's row is written first, everything that follows is one transaction over the kept file.
Taken in again, an applied file is weighed against the books of now; where nothing differs nothing is written.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from accounts.services.book_statement import book_statement
from accounts.services.load_accounts import load_accounts, tighten_states
from authorisation.domain.principal import Principal, process_principal
from journal.bulk import raw_cursor
from kernel.crash_points import crash_point
from reconciliation.domain import intake_states as states
from reconciliation.domain.intake_rules import Issue, Severity, Verdict, judge
from reconciliation.formats.problems import FileProblem
from reconciliation.kept_files import kept_path
from reconciliation.locks import lock_intake
from reconciliation.models import Feed, Intake
from reconciliation.services._ahead import PROMISED, Beside, NotAhead, promise, prove
from reconciliation.services._intake_events import set_matter, tell
from reconciliation.services._last_file import LastFile
from reconciliation.services._since_last import last_applied
from reconciliation.services._weigh_accounts import account_file_of
from reconciliation.services._weigh_file import Found, statement_of, weigh_file
from reconciliation.services.begin_intake import begin_intake, cut_of, end_intake
from reconciliation.staging import Staged, staged

PROGRESS_S = 0.5
TEMP_BUFFERS = "256MB"
BOOKED = frozenset({"cash", "holdings"})
COMPARED_BY_LINE = frozenset({"accounts", "cash", "holdings"})
"""Kinds of which a clean file has one row for each thing. A venue may list an order twice."""


class StoppedByHand(Exception):
    """Somebody put the intake away while its file was read."""


def take_in(*, actor: Principal, at: datetime, file_id: UUID) -> Intake:
    """The intake as it ended for now: applied, waiting, refused or put away.

    Raises NotPermitted RIGHT_MISSING, NotFound FILE_UNKNOWN, Invalid FILE_NOT_OF_START, Conflict FILE_REFUSED.
    """
    return carry_on(begin_intake(actor=actor, at=at, file_id=file_id), actor=actor, at=at)


def carry_on(intake: Intake, *, actor: Principal, at: datetime, beside: Beside | None = None) -> Intake:
    """Do what is left of an intake that was begun. Accounts that come ``beside`` it are waited for once the file is staged, and on a
    first morning once all is ready for them (``_ahead``); where they do not come the intake is left as it is."""
    if intake.state != states.STAGED:
        return intake
    crash_point("intake.begun")
    _give_buffers()
    try:
        with raw_cursor() as cursor, staged_with_last(cursor, intake) as (now, before):
            if beside is not None:
                done = _decide_ahead(cursor, intake, now, before, beside, actor=actor, at=at)
                if done is not None or not beside.opened():
                    return done or intake
            return _decide(cursor, intake, now, before, actor=actor, at=at)
    except FileProblem as problem:
        return _refuse_whole(intake, problem, actor=actor, at=at)
    except StoppedByHand:
        intake.refresh_from_db()
        return intake


def _give_buffers() -> None:
    """Room for the tables of this session, which PostgreSQL takes as it is needed. A session that has had such tables before, even
    in a transaction that was rolled back, cannot have more: it keeps what it has."""
    with raw_cursor() as cursor:
        cursor.execute(
            f"DO $$ BEGIN PERFORM set_config('temp_buffers', '{TEMP_BUFFERS}', false); "
            "EXCEPTION WHEN invalid_parameter_value THEN NULL; END $$"
        )


@contextmanager
def staged_with_last(cursor: Any, intake: Intake) -> Iterator[tuple[Staged, LastFile | None]]:
    """The file as a table of this session, and the one that was applied last of its kind and source, of which tables are made
    as they are asked for."""
    last = last_applied(intake)
    if last is not None and last.file_id == intake.file_id:
        last = None
    with ExitStack() as stack:
        path, format = kept_path(intake.file.sha256), intake.file.format or None
        beside = kept_path(last.file.sha256) if last is not None and intake.kind in COMPARED_BY_LINE else None
        now = stack.enter_context(
            staged(cursor, path, intake.kind, format=format, on_block=_progress(intake), beside=beside)
        )  # fmt: skip
        yield now, LastFile(cursor, stack, last, now) if last is not None else None


def _progress(intake: Intake) -> Callable[[int], None] | None:
    """Says beside the session that stages how far it is, and hears whether somebody put the intake away."""
    if connection.in_atomic_block:
        return None
    beside = connection.copy()
    last = time.monotonic()

    def said(rows: int) -> None:
        nonlocal last
        if time.monotonic() - last < PROGRESS_S:
            return
        last = time.monotonic()
        try:
            with beside.cursor() as cursor:
                cursor.execute(
                    "UPDATE reconciliation_intake SET done = %s, stepped_at = now() WHERE id = %s RETURNING state",
                    [rows, intake.id],
                )
                row = cursor.fetchone()
        finally:
            beside.close()
        if row is not None and row[0] != states.STAGED:
            raise StoppedByHand

    return said


def _decide_ahead(
    cursor: Any, intake: Intake, now: Staged, before: LastFile | None, beside: Beside, *, actor: Principal, at: datetime
) -> Intake | None:
    """As ``_decide``, on the accounts that the file beside this one will open. None where nothing could be done ahead of it."""
    try:
        with transaction.atomic():
            intake = lock_intake(intake.id)
            if intake.state != states.STAGED:
                return intake
            promise(cursor, intake, now, before, beside)
            _set_day(cursor, intake, now)
            found = weigh_file(cursor, intake, now, before, accounts=PROMISED)
            note(intake, found)
            verdict, _ = judge(found.issues, rows=found.rows, refused=found.refused, partly=_partly(intake))
            if verdict is not Verdict.APPLY or not intake.changed:
                raise NotAhead
            crash_point("intake.weighed")
            return apply_weighed(intake, actor=actor, at=at, opened=lambda: prove(cursor, beside))
    except NotAhead:
        return None


def _decide(
    cursor: Any, intake: Intake, now: Staged, before: LastFile | None, *, actor: Principal, at: datetime
) -> Intake:
    """Weigh, judge, and book what is clean: one transaction."""
    with transaction.atomic():
        intake = lock_intake(intake.id)
        if intake.state != states.STAGED:
            return intake
        _set_day(cursor, intake, now)
        sentence = why_older(intake)
        if sentence:
            intake.rows = intake.refused = now.rows + now.counted.refused
            intake.issues = [Issue("CUT_OLDER", Severity.ERROR, "as_of", sentence, intake.rows).to_json()]
            return _stop(intake, sentence, actor=actor, at=at)
        found = weigh_file(cursor, intake, now, before)
        note(intake, found)
        verdict, sentence = judge(found.issues, rows=found.rows, refused=found.refused, partly=_partly(intake))
        crash_point("intake.weighed")
        if verdict is Verdict.APPLY:
            return apply_weighed(intake, actor=actor, at=at)
        if verdict is Verdict.WAIT:
            if intake.kind == "accounts":  # what takes something away waits for nobody
                tighten_states(actor=_booker(actor), at=at, file=account_file_of(intake))
            intake.wait()
            intake.sentence, intake.step, intake.stepped_at = sentence, "waiting", at
            intake.save()
            tell(intake, "IntakeWaits", actor=actor, at=at)
            set_matter(intake, wrong=True, at=at, actor=actor)
            return intake
        return _stop(intake, sentence, actor=actor, at=at)


def why_older(intake: Intake) -> str:
    """Why the books are newer than the file, or the empty text."""
    last = last_applied(intake)
    if last is None or last.cut_at <= intake.cut_at:
        return ""
    shown = "%Y-%m-%d %H:%M UTC"
    return f"Its figures are as of {intake.cut_at:{shown}}; the books have those of {last.cut_at:{shown}}."


def _stop(intake: Intake, sentence: str, *, actor: Principal, at: datetime) -> Intake:
    """Refuse it, and have somebody look."""
    intake.refuse()
    end_intake(intake, sentence, at)
    tell(intake, "IntakeRefused", actor=actor, at=at)
    set_matter(intake, wrong=True, at=at, actor=actor)
    return intake


def note(intake: Intake, found: Found) -> None:
    """What was found, into its row."""
    intake.rows, intake.changed, intake.unchanged, intake.refused = (
        found.rows, found.changed, found.unchanged, found.refused,
    )  # fmt: skip
    intake.issues = [one.to_json() for one in found.issues]
    intake.totals, intake.since = found.totals, found.since


def apply_weighed(
    intake: Intake, *, actor: Principal, at: datetime, opened: Callable[[], None] | None = None
) -> Intake:
    """Book what was weighed in this transaction. ``opened`` is as ``book_statement`` takes it."""
    intake.begin()
    intake.save(update_fields=["state"])
    booker = _booker(actor)
    if intake.changed and intake.kind == "accounts":
        load_accounts(actor=booker, at=at, file=account_file_of(intake))
    elif intake.changed:
        book_statement(actor=booker, at=at, statement=statement_of(intake), opened=opened)
    crash_point("intake.booked")
    intake.apply()
    intake.applied_by = (actor.is_process and actor.on_behalf_of) or actor.actor
    end_intake(intake, "", at)
    tell(intake, "IntakeApplied", actor=booker, at=at)
    set_matter(intake, wrong=False, at=at, actor=actor)
    return intake


def _booker(actor: Principal) -> Principal:
    """A process of ours books; for whom is told with it."""
    return actor if actor.is_process else replace(process_principal("start_of_day"), on_behalf_of=actor.actor)


def _refuse_whole(intake: Intake, problem: FileProblem, *, actor: Principal, at: datetime) -> Intake:
    """Nothing of a file that cannot be read to its end is used."""
    with transaction.atomic():
        intake = lock_intake(intake.id)
        if intake.state == states.STAGED:
            lines = ((problem.context["line"], ""),) if "line" in problem.context else ()
            intake.issues = [Issue(problem.code, Severity.ERROR, "", problem.sentence, 1, lines).to_json()]
            return _stop(intake, problem.sentence, actor=actor, at=at)
    return intake


def _set_day(cursor: Any, intake: Intake, now: Staged) -> None:
    """The day a file is about: as it says, else the latest its rows say, else that on which it came."""
    header, file = now.header, intake.file
    day = header.statement_date or file.statement_date
    if day is None and intake.kind in BOOKED:
        cursor.execute(f"SELECT max(as_of) FROM {now.table}")  # noqa: S608
        day = cursor.fetchall()[0][0]
    intake.day = day or file.received_at.date()
    file.cut_at = header.cut_at or file.cut_at
    intake.cut_at = cut_of(file, intake.day)


def _partly(intake: Intake) -> bool:
    feed = intake.file.feed
    return feed is not None and feed.partial == Feed.Partial.PARTLY
