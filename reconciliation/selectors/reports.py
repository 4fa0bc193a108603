"""Reads of named reports: what one is asked about, and a page of its rows with how many there are under each word.

A batch is a run, a file, or an upload of orders; an outage is called by its session and number (``SIM1:42``), as the report of
outages lists them. A day that is not named is the batch's or the outage's, else today (UTC).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db import OperationalError, transaction

from authorisation.domain.principal import Principal
from journal.bulk import raw_cursor
from kernel.errors import Invalid, NotFound, Unavailable
from orders.models import Upload
from orders.permissions import visible_desks, visible_groups
from reconciliation.models import FeedFile, Run
from reconciliation.reports.outages import OUTAGES
from reconciliation.reports.report import BATCH, OUTAGE, Outage, Report, Scope, Sight, parameters
from reconciliation.selectors.seeing import sees_totals

MOST_ROWS = 50_000
"""Rows of one report at most, whoever asks; what is beyond is counted no more and said to be left out."""
LONGEST_MS = 30_000
_BOUND = """
SELECT b.before, set_config('statement_timeout', %s, true), set_config('jit', 'off', true)
  FROM (SELECT current_setting('statement_timeout') AS before OFFSET 0) b
"""
_PAGE = """
WITH found ({names}) AS MATERIALIZED (SELECT * FROM ({statement}) q LIMIT {most}), counts AS (
    SELECT coalesce(jsonb_object_agg(c.word, c.n), '{{}}') AS counts FROM (SELECT word, count(*) AS n FROM found GROUP BY word) c)
SELECT counts.counts, found.* FROM counts LEFT JOIN found ON (%(word)s::text = '' OR found.word = %(word)s::text)
 ORDER BY {order} LIMIT %(limit)s OFFSET %(offset)s
"""


@dataclass(frozen=True, slots=True)
class ReportPage:
    """``rows`` by the report's columns, from ``offset`` on; ``counts`` by word over all rows. ``more``: there is a next page."""

    report: Report
    scope: Scope
    rows: tuple[tuple[Any, ...], ...]
    counts: Mapping[str, int]
    offset: int
    more: bool
    left_out: bool

    @property
    def total(self) -> int:
        """Of all words."""
        return sum(self.counts.values())


def scope_of(report: Report, *, at: datetime, day: date | None = None, batch: str = "", outage: str = "") -> Scope:
    """Raises Invalid REPORT_SCOPE by field, NotFound BATCH_UNKNOWN or OUTAGE_UNKNOWN."""
    wrong = {
        name: [f"{report.title} is not asked for by {name}; it is by {', '.join(report.by)}."]
        for name, given in ((BATCH, batch), (OUTAGE, outage))
        if given and name not in report.by
    }
    if batch and outage:
        wrong[OUTAGE] = ["A batch or an outage, not both."]
    if wrong:
        raise Invalid("REPORT_SCOPE", "The report cannot be asked for like that.", wrong)
    if outage:
        found = _outage(outage)
        return Scope(day or found.lost_at.date(), at, outage=found)
    if batch:
        return _batch(batch, at, day)
    return Scope(day or at.date(), at)


def _batch(text: str, at: datetime, day: date | None) -> Scope:
    try:
        batch = UUID(text)
    except ValueError:
        raise NotFound("BATCH_UNKNOWN", "A batch is named by the id of a run, a file or an upload.") from None
    run = Run.objects.filter(pk=batch).first()
    if run is not None:
        return Scope(day or run.as_of, at, runs=(run.pk,))
    file = FeedFile.objects.filter(pk=batch).first()
    if file is not None:
        runs = list(Run.objects.filter(file=file).order_by("-created_at", "-id").values_list("pk", "as_of")[:100])
        about = day or (runs[0][1] if runs else file.statement_date) or at.date()
        return Scope(about, at, runs=tuple(pk for pk, _ in runs))
    upload = Upload.objects.filter(pk=batch).first()
    if upload is not None:
        return Scope(day or upload.created_at.date(), at, upload=upload.pk)
    raise NotFound("BATCH_UNKNOWN", "There is no run, file or upload under that id.")


def _outage(ref: str) -> Outage:
    session, _, seq = ref.rpartition(":")
    if session and seq.isascii() and seq.isdecimal() and len(seq) <= 9:
        with raw_cursor(binary=True) as cursor:
            cursor.execute(
                f'SELECT o.session, o."group", o.lost_at, o.back_at FROM ({OUTAGES}) o WHERE o.session = %s AND o.seq = %s',  # noqa: S608
                [session, int(seq)],
            )
            row = cursor.fetchone()
        if row is not None:
            return Outage(ref, *row)
    raise NotFound("OUTAGE_UNKNOWN", "There is no such outage; the report of outages names them, as SIM1:42.")


def sight_of(actor: Principal) -> Sight:
    """What of orders, accounts and the firm's figures exists for the actor."""
    if actor.is_process:
        return Sight(None, None, totals=True)
    desks, groups = sorted(visible_desks(actor)), sorted(visible_groups(actor))
    return Sight(tuple(desks), tuple(groups), totals=sees_totals(actor))


def read_report(
    *, actor: Principal, report: Report, scope: Scope, word: str = "", offset: int = 0, limit: int = 200
) -> ReportPage:
    """Rows from ``offset`` on, of one ``word`` where given. Raises Invalid WORD_UNKNOWN, Unavailable REPORT_TOO_LONG."""
    if word and word not in report.words:
        raise Invalid("WORD_UNKNOWN", f"Rows of {report.title} are one of {', '.join(report.words)}.")
    given = parameters(scope, sight_of(actor)) | {"word": word, "limit": limit + 1, "offset": offset}
    names = ", ".join(f'"{column.name}"' for column in report.columns)
    statement = _PAGE.format(names=names, statement=report.statement, most=MOST_ROWS + 1, order=report.order)
    try:
        with transaction.atomic(), raw_cursor(binary=True) as cursor:
            cursor.execute(_BOUND, [str(LONGEST_MS)])
            (before, *_) = cursor.fetchone() or ("0",)
            cursor.execute(statement, given)
            found = cursor.fetchall()
            cursor.execute("SELECT set_config('statement_timeout', %s, true)", [before])
    except OperationalError as problem:
        if getattr(problem.__cause__, "sqlstate", "") != "57014":
            raise
        sentence = f"{report.title} of {scope.day} takes longer than {LONGEST_MS // 1000} s; ask by batch or outage."
        raise Unavailable("REPORT_TOO_LONG", sentence) from problem
    counts = {name: found[0][0][name] for name in report.words if name in found[0][0]} if found else {}
    rows = tuple(row[1:] for row in found if row[1] is not None)
    total = sum(counts.values())
    return ReportPage(report, scope, rows[:limit], counts, offset, len(rows) > limit, total > MOST_ROWS)
