"""What a named report is: a question, the words its rows are sorted under, its columns, and one statement.

The statement selects the columns in their order, the word first. It may use every parameter of ``parameters``; by the
names ``desks`` and ``groups`` (NULL: all) and ``totals`` it leaves out what the reader may not see, itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID


class Shape(StrEnum):
    """What a column holds: how people read it, and where it leads. An ``id`` is for programs and files alone."""

    TEXT = "text"
    SENTENCE = "sentence"
    WORD = "word"
    NUMBER = "number"
    COUNT = "count"
    MOMENT = "moment"
    DAY = "day"
    ORDER = "order"
    BREAK = "break"
    RUN = "run"
    SIDE = "side"
    ID = "id"


@dataclass(frozen=True, slots=True)
class Column:
    """``name`` is the key of programs, ``title`` what people read."""

    name: str
    title: str
    shape: Shape = Shape.TEXT


@dataclass(frozen=True, slots=True)
class Report:
    """``words``: every class of rows with what it means. ``good``: those that need nobody. ``by``: what may narrow it.

    ``order`` sorts, and ends in what is unique. ``totals``: figures of the whole firm, for whoever sees these alone.
    """

    name: str
    title: str
    question: str
    words: Mapping[str, str]
    columns: tuple[Column, ...]
    statement: str
    order: str
    by: tuple[str, ...]
    good: frozenset[str] = frozenset()
    totals: bool = False


@dataclass(frozen=True, slots=True)
class Outage:
    """A loss of a session until its next logon, ``back_at`` None while there is none. ``ref`` names it: SIM1:42."""

    ref: str
    session: str
    group: str
    lost_at: datetime
    back_at: datetime | None


@dataclass(frozen=True, slots=True)
class Scope:
    """What a report is about: a day, narrowed to runs (``batch`` is a run or a file), an upload of orders, or an outage."""

    day: date
    at: datetime
    runs: tuple[UUID, ...] | None = None
    upload: UUID | None = None
    outage: Outage | None = None


@dataclass(frozen=True, slots=True)
class Sight:
    """Whose rows exist for the reader: desks and account groups by id, None for all of them."""

    desks: tuple[int, ...] | None
    groups: tuple[int, ...] | None
    totals: bool


def parameters(scope: Scope, sight: Sight) -> dict[str, Any]:
    """What every statement is given."""
    outage = scope.outage
    return {
        "day": scope.day,
        "at": scope.at,
        "runs": list(scope.runs) if scope.runs is not None else None,
        "upload": scope.upload,
        "session": outage.session if outage else None,
        "group": outage.group if outage else None,
        "outage": outage.ref if outage else None,
        "lost_at": outage.lost_at if outage else None,
        "back_at": outage.back_at if outage else None,
        "desks": list(sight.desks) if sight.desks is not None else None,
        "groups": list(sight.groups) if sight.groups is not None else None,
        "totals": sight.totals,
    }


DATE, BATCH, OUTAGE = "date", "batch", "outage"
SEEN = """(%(desks)s::bigint[] IS NULL OR o.desk_id = ANY(%(desks)s::bigint[]))
   AND (%(groups)s::bigint[] IS NULL OR a.group_id = ANY(%(groups)s::bigint[]))
   AND NOT EXISTS (SELECT FROM accounts_canaryaccount c WHERE c.account_id = a.id)"""
"""Of an order ``o`` and its account ``a``: it exists for the reader, and is no canary's."""
OF_UPLOAD = "(%(upload)s::uuid IS NULL OR o.id IN (SELECT u.order_id FROM orders_uploadrow u WHERE u.upload_id = %(upload)s::uuid))"
"""Of an order ``o``: it came in the upload that was asked for."""
BREAK_SEEN = """(o.id IS NULL OR %(desks)s::bigint[] IS NULL OR o.desk_id = ANY(%(desks)s::bigint[]))
   AND CASE WHEN b.account_id IS NULL THEN %(totals)s::boolean
            ELSE %(groups)s::bigint[] IS NULL OR a.group_id = ANY(%(groups)s::bigint[]) END"""
"""Of a break ``b``, its order ``o`` and account ``a`` where it has them: as ``selectors.seeing`` has it."""
LATEST_RUNS = """
SELECT DISTINCT ON (r.source) r.id, r.source, r.started_at, r.sums, r.state, f.name AS file, f.cut_at,
       ARRAY(SELECT mic FROM refdata_market WHERE mic = r.source
             UNION SELECT vm.market_id FROM venues_venue_markets vm WHERE vm.venue_id = r.source
             UNION SELECT vm.market_id FROM venues_fixsession s JOIN venues_venue_markets vm ON vm.venue_id = s.venue_id
                    WHERE s."group" = r.source OR s.name = r.source) AS markets
  FROM reconciliation_run r JOIN reconciliation_feedfile f ON f.id = r.file_id
 WHERE r.kind = {kind} AND r.state = 'done' AND r.as_of = %(day)s AND (%(runs)s::uuid[] IS NULL OR r.id = ANY(%(runs)s::uuid[]))
 ORDER BY r.source, r.created_at DESC, r.id DESC
"""
"""Of each source the run that compared its newest file of the day, with the markets it speaks for (none: all)."""
