"""Keep what a comparison found: new breaks, those that stand, those that agree now, and the run's figures, all or nothing.

A suspect run closes nothing: that a doubted file does not show a difference proves nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from journal.bulk import raw_cursor, shape_of, update_rows, write_rows
from journal.domain.chain import EventDraft
from journal.services.append_to_stream import append_to_stream
from kernel.collecting import no_collecting
from kernel.crash_points import crash_point
from kernel.ids import new_id
from kernel.numbers import QTY_PLACES, plain
from reconciliation.domain import transitions as moves
from reconciliation.domain.findings import Finding
from reconciliation.domain.rules import doubt
from reconciliation.domain.scope import answers_for, speaks_of
from reconciliation.locks import last_break_number, lock_breaks, lock_run, lock_standing_breaks
from reconciliation.matching.comparing import Compared
from reconciliation.models import Break, Run, RunBreak
from reconciliation.selectors.rules import get_rules
from reconciliation.services._decided import without_decided
from reconciliation.services.lift_effects import lift_effects

KEPT = "kept"
MOST_TOLD = 500
_SEEN = (
    "state", "accepted_until", "ids", "ours", "theirs", "differences", "why", "suggestion", "candidates", "exposure",
    "exposure_currency", "account_id", "instrument_id", "order_id", "execution_id", "last_run_id", "last_seen_at", "version",
)  # fmt: skip
_CLOSED = ("state", "closed_as", "closing_sentence", "closed_at", "last_run_id", "version")


class RunStopped(Exception):
    """Somebody canceled the run while it was compared; nothing of it is kept."""


@dataclass(frozen=True, slots=True)
class _Sorted:
    """Findings by key, the breaks that stand for them, and the breaks of others that are not found any more."""

    found: Mapping[str, Finding]
    standing: Mapping[str, Break]
    gone: tuple[Break, ...]


def keep_breaks(*, run_id: UUID, compared: Compared, raw: Mapping[int, str], at: datetime) -> None:
    """In one transaction with the run's step; ``raw`` is the record of each line. Raises RunStopped for a run that was canceled."""
    found = without_decided(_by_key(run_id, compared.findings))
    with no_collecting(), transaction.atomic():
        run = lock_run(run_id)
        if run.state != moves.RUNNING:
            raise RunStopped
        rules = get_rules(kind=run.kind, source=run.source)
        run.sentence = _doubt(compared, rules)
        standing = lock_standing_breaks(list(found))
        gone = () if run.sentence else _gone(run, found, compared)
        sorted_ = _Sorted(found, standing, gone)
        new = _insert(run, sorted_, raw, at)
        _see_again(run, sorted_, raw, at)
        _close(run, gone, at)
        lift_effects(break_ids=[item.id for item in gone], at=at)
        _say_seen(run, new, [item.id for item in standing.values()], [item.id for item in gone])
        run.internal, run.external, run.matched = compared.internal, compared.external, compared.matched
        run.written, run.standing, run.closed = len(new), len(standing), len(gone)
        run.sums = {name: [plain(ours), plain(theirs)] for name, (ours, theirs) in compared.sums.items()}
        run.of_accounts = sorted(compared.only["account"]) if "account" in compared.only else None
        run.rules_version, run.step = rules.version, KEPT
        run.save()
        append_to_stream(drafts=[_event(run, found, standing, gone, at)], at=at)
        crash_point("run.written")


def _by_key(run_id: UUID, findings: Iterable[Finding]) -> dict[str, Finding]:
    """Each under its own key: of records that are the same in every name, the n-th is the n-th."""
    run = Run.objects.only("kind", "source").get(id=run_id)
    found: dict[str, Finding] = {}
    for finding in findings:
        one = finding
        while (key := one.key(run.kind, run.source)) in found:
            one = replace(one, copy=one.copy + 1)
        found[key] = one
    return found


def _doubt(compared: Compared, rules: Any) -> str:
    if not compared.complete:
        return (
            f"{compared.unjudged:,} records do not agree at first sight: the file is doubted, not the books; "
            f"none of them was looked at one by one."
        )
    return doubt(found=len(compared.findings), internal=compared.internal, external=compared.external, rules=rules)


def _theirs(run: Run, finding: Finding, raw: Mapping[int, str]) -> dict[str, Any]:
    if not finding.lines or run.file is None:
        return dict(finding.theirs)
    first, *rest = finding.lines
    kept = {
        **finding.theirs,
        "raw": raw.get(first, ""),
        "file": run.file.name,
        "line": first,
        "sha256": run.file.sha256,
    }
    if rest:
        kept["further"] = [{"line": line, "raw": raw.get(line, "")} for line in rest]
    return kept


def _gone(run: Run, found: Mapping[str, Finding], compared: Compared) -> tuple[Break, ...]:
    """Open breaks this run answers for and did not find."""
    candidates = (
        Break.objects.filter(kind=run.kind, source=run.source)
        .exclude(state=moves.CLOSED)
        .values_list("id", "key", "last_run__as_of", "ids")
    )
    ids = [
        row_id
        for row_id, key, seen, names in candidates
        if key not in found
        and answers_for(run.kind, as_of=run.as_of, last_seen=seen)
        and speaks_of(compared.only, names)
    ]
    return tuple(item for item in lock_breaks(ids) if item.state != moves.CLOSED)


def _insert(run: Run, parts: _Sorted, raw: Mapping[int, str], at: datetime) -> list[UUID]:
    keys = [key for key in parts.found if key not in parts.standing]
    if not keys:
        return []
    before = _recurrences(keys)
    number = last_break_number()
    ids = [new_id() for _ in keys]
    fields = shape_of(Break).fields  # what repairs add later has defaults
    blank = Break()
    defaults = {name: getattr(blank, name) for name in fields}
    rows = []
    for place, (row_id, key) in enumerate(zip(ids, keys, strict=True), start=1):
        finding = parts.found[key]
        values = defaults | {
            "id": row_id, "number": number + place, "key": key, "recurrence": before.get(key, 0) + 1, "kind": run.kind,
            "source": run.source, "category": finding.category.value, "ids": dict(finding.ids),
            "account_id": finding.account_id, "instrument_id": finding.instrument_id, "order_id": finding.order_id,
            "execution_id": finding.execution_id, "ours": dict(finding.ours), "theirs": _theirs(run, finding, raw),
            "differences": [one.as_json() for one in finding.differences], "why": finding.why,
            "suggestion": finding.suggestion, "candidates": [dict(one) for one in finding.candidates],
            "exposure": _exposure(finding), "exposure_currency": finding.currency, "business_date": run.as_of,
            "event_at": finding.event_at, "first_run_id": run.id, "last_run_id": run.id, "found_at": at, "last_seen_at": at,
        }  # fmt: skip
        rows.append([values[name] for name in fields])
    write_rows(Break, rows, fields=fields)
    return ids


def _recurrences(keys: list[str]) -> dict[str, int]:
    with raw_cursor() as cursor:
        cursor.execute("SELECT key, max(recurrence) FROM reconciliation_break WHERE key = ANY(%s) GROUP BY key", [keys])
        return dict(cursor.fetchall())


def _exposure(finding: Finding) -> Any:
    return None if finding.exposure is None else finding.exposure.quantize(QTY_PLACES)


def _see_again(run: Run, parts: _Sorted, raw: Mapping[int, str], at: datetime) -> None:
    """The figures of today; a difference accepted for a time is open again once that time is over."""
    rows = []
    for key, item in parts.standing.items():
        finding = parts.found[key]
        over = item.state == moves.ACCEPTED and item.accepted_until is not None and item.accepted_until < run.as_of
        rows.append(
            (
                item.id, moves.OPEN if over else item.state, None if over else item.accepted_until, dict(finding.ids),
                dict(finding.ours), _theirs(run, finding, raw), [one.as_json() for one in finding.differences], finding.why,
                finding.suggestion, [dict(one) for one in finding.candidates], _exposure(finding), finding.currency,
                finding.account_id, finding.instrument_id, finding.order_id, finding.execution_id, run.id, at,
                item.version + 1,
            )
        )  # fmt: skip
    update_rows(Break, rows, key=("id",), fields=_SEEN)


def _close(run: Run, gone: Iterable[Break], at: datetime) -> None:
    sentence = f"Both sides agree in the run of {run.kind} of {run.source} as of {run.as_of}."
    rows = [(item.id, moves.CLOSED, Break.ClosedAs.AGREED, sentence, at, run.id, item.version + 1) for item in gone]
    update_rows(Break, rows, key=("id",), fields=_CLOSED)


def _say_seen(run: Run, new: list[UUID], standing: list[UUID], closed: list[UUID]) -> None:
    words = ((RunBreak.Word.NEW, new), (RunBreak.Word.STANDING, standing), (RunBreak.Word.CLOSED, closed))
    rows = [(run.id, item_id, word.value) for word, ids in words for item_id in ids]
    write_rows(RunBreak, rows, fields=("run_id", "item_id", "word"))


def _event(
    run: Run, found: Mapping[str, Finding], standing: Mapping[str, Break], gone: Iterable[Break], at: datetime
) -> EventDraft:
    """One event a run. Beyond MOST_TOLD keys the rows of RunBreak, which never change, tell the rest."""
    new = [key for key in found if key not in standing]
    return EventDraft(
        id=new_id(),
        stream=f"reconciliation:{run.kind}:{run.source}",
        kind="ReconciliationCompared",
        actor=run.started_by,
        correlation_id=run.id,
        event_at=at,
        received_at=at,
        business_date=run.as_of,
        payload={
            "run_id": str(run.id), "kind": run.kind, "source": run.source, "as_of": run.as_of.isoformat(),
            "sha256": run.file.sha256 if run.file else "", "internal": run.internal, "external": run.external,
            "matched": run.matched, "written": run.written, "standing": run.standing, "closed": run.closed,
            "suspect": run.sentence, "new_keys": new[:MOST_TOLD], "closed_keys": [item.key for item in gone][:MOST_TOLD],
        },
    )  # fmt: skip
