"""Do a run that was asked for, or what is left of it: compare, keep, tell, each step committed before the next.

Comparing writes nothing but progress, and what is kept is kept in one transaction with the step: whatever kills the process,
the run is done again from its row and the kept file, and comes to the same. One run of a kind and source at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from authorisation.domain.principal import process_principal
from journal.bulk import raw_cursor
from journal.domain.records import Anomaly, Severity
from journal.services.set_anomaly import set_anomaly
from kernel.crash_points import crash_point
from kernel.errors import NotFound, OmsError
from reconciliation.domain import transitions as moves
from reconciliation.domain.findings import with_unread
from reconciliation.domain.records import Kind
from reconciliation.formats.known_lines import TooManyUnknown
from reconciliation.formats.problems import FileProblem
from reconciliation.formats.read_statement import raw_records
from reconciliation.kept_files import kept_path
from reconciliation.locks import WAIT_S, comparing
from reconciliation.matching.comparing import Compared, Task, in_failed_transaction
from reconciliation.matching.kinds import COMPARE, markets_of
from reconciliation.matching.known import Known
from reconciliation.matching.known_trades import load_known
from reconciliation.models import FeedFile, Run
from reconciliation.selectors.rules import get_rules
from reconciliation.services._keep_breaks import KEPT, RunStopped, keep_breaks
from reconciliation.services._tell_breaks import tell_breaks
from reconciliation.services.record_reading import record_reading
from reconciliation.services.settle_policies import settle_policies
from reconciliation.staging import staged

ACTOR = process_principal("reconciliation").actor
COMPARING, TOLD = "comparing", "told"
SETTINGS = {"work_mem": "128MB", "jit": "off", "random_page_cost": "1.1"}
"""Of the session while it compares: what it looks up by name it has read a moment ago, so that lies in memory."""
CSV = "csv"
"""The one format whose files are about everything; statements of banks and depositories are about accounts."""


@dataclass(frozen=True, slots=True)
class RunResult:
    """The run as it ended; its breaks are read by ``selectors``."""

    run_id: UUID
    state: str
    sentence: str
    internal: int
    external: int
    matched: int
    written: int
    standing: int
    closed: int


def do_run(
    *, run_id: UUID, at: datetime, now: Callable[[], datetime] | None = None, wait_s: float = WAIT_S
) -> RunResult:
    """``wait_s``: for another run of the same kind and source.

    Raises NotFound RUN_UNKNOWN, Conflict RUN_UNDER_WAY, and whatever the run fails by; then it is failed and says why.
    """
    clock = now or (lambda: at)
    run = Run.objects.filter(id=run_id).first()
    if run is None:
        raise NotFound("RUN_UNKNOWN", "There is no such run.")
    with comparing(run.kind, run.source, wait_s=wait_s):
        run.refresh_from_db()
        if run.state not in moves.ENDED:
            try:
                _work(run, at, clock)
            except RunStopped:
                pass
            except Exception as problem:
                _fail(run_id, problem, clock())
                raise
    return _result(run_id)


def _work(run: Run, at: datetime, clock: Callable[[], datetime]) -> None:
    if run.state == moves.WAITING:
        run.begin()
        run.started_at, run.step = at, COMPARING
        run.save(update_fields=["state", "started_at", "step"])
    crash_point("run.begun")
    if run.step == COMPARING:
        compared, raw = _compare(run, at)
        crash_point("run.compared")
        keep_breaks(run_id=run.id, compared=compared, raw=raw, at=clock())
        crash_point("run.kept")
        run.refresh_from_db()
    if run.step == KEPT:
        tell_breaks(run=run, actor=ACTOR, at=clock())
        run.step = TOLD
        run.save(update_fields=["step"])
        crash_point("run.told")
    _end(run, clock())
    crash_point("run.ended")
    settle_policies(run_id=run.id, at=clock())


def _compare(run: Run, at: datetime) -> tuple[Compared, Mapping[int, str]]:
    """What was found, and the raw record of every line it is about."""
    file = _file_of(run)
    with raw_cursor(binary=True) as cursor:
        for name, value in SETTINGS.items():
            cursor.execute("SELECT set_config(%s, %s, false)", [name, value])
        try:
            markets = markets_of(cursor, run.source)
            known = load_known(cursor, kept_path(file.sha256), Kind(run.kind), as_of=run.as_of, markets=markets)
            try:
                return _compare_with(cursor, run, file, at, markets, known)
            except TooManyUnknown:
                return _compare_with(cursor, run, file, at, markets, None)
        except FileProblem as problem:
            if file.state == FeedFile.State.RECEIVED and not in_failed_transaction(cursor):
                record_reading(file_id=file.id, at=at, problem=problem)
            raise
        finally:
            if not in_failed_transaction(cursor):  # the rollback takes the settings back
                for name in SETTINGS:
                    cursor.execute(f"RESET {name}")


def _compare_with(
    cursor: Any, run: Run, file: FeedFile, at: datetime, markets: tuple[str, ...], known: Known | None
) -> tuple[Compared, Mapping[int, str]]:
    """Raises TooManyUnknown where what is ``known`` is no gain."""
    path, kind = kept_path(file.sha256), Kind(run.kind)
    with staged(cursor, path, kind, known=known.lines if known else None) as stage:
        record_reading(file_id=file.id, at=at, header=stage.header, counted=stage.counted, problems=stage.problems)
        rows = stage.rows + (known.lines.met if known else 0)
        Run.objects.filter(id=run.id).update(done=rows, total=2 * rows)
        task = Task(
            table=stage.table,
            source=run.source,
            as_of=run.as_of,
            at=at,
            rules=get_rules(kind=run.kind, source=run.source),
            cut_at=file.cut_at or stage.header.cut_at,
            came_at=file.received_at,
            markets=markets,
            partial=stage.header.format != CSV,
            known=known,
            add=stage.add,
        )
        compared = COMPARE[kind](cursor, task)
        compared = replace(compared, findings=with_unread(compared.findings, stage.problems.total))
    lines = {line for finding in compared.findings for line in finding.lines}
    raw = known.lines.raw_of(lines) if known else None
    if raw is None:
        raw = raw_records(path, stage.header.format, run.kind, lines) if lines else {}
    return compared, raw


def _file_of(run: Run) -> FeedFile:
    if run.file is None:
        raise NotFound("FILE_UNKNOWN", "The run has no file to compare with.")
    return run.file


def _end(run: Run, at: datetime) -> None:
    (run.doubt if run.sentence else run.finish)()
    run.finished_at, run.done = at, run.total
    run.save(update_fields=["state", "finished_at", "done"])
    set_anomaly(anomaly=_failure(run, "The run was completed."), wrong=False, actor=ACTOR, at=at)


def _fail(run_id: UUID, problem: Exception, at: datetime) -> None:
    """What stopped it is kept with the run and told: a comparison that did not happen proves nothing."""
    unforeseen = f"The run could not be done: {type(problem).__name__}."
    sentence = problem.sentence if isinstance(problem, OmsError) else unforeseen
    run = Run.objects.get(id=run_id)
    if run.state in moves.ENDED:
        return
    run.fail()
    run.sentence, run.finished_at = sentence, at
    run.save(update_fields=["state", "sentence", "finished_at"])
    set_anomaly(anomaly=_failure(run, sentence), wrong=True, actor=ACTOR, at=at)


def _failure(run: Run, sentence: str) -> Anomaly:
    return Anomaly(
        kind="RUN_FAILED",
        severity=Severity.HIGH,
        subject_type="reconciliation",
        subject_id=f"{run.kind} {run.source}",
        sentence=f"The reconciliation of {run.kind} of {run.source} as of {run.as_of}: {sentence}",
        dedupe_key=f"run-failed:{run.kind}:{run.source}",
        evidence={"run_id": str(run.id), "file_id": str(run.file_id) if run.file_id else None},
    )


def _result(run_id: UUID) -> RunResult:
    run = Run.objects.get(id=run_id)
    return RunResult(
        run.id, run.state, run.sentence, run.internal, run.external, run.matched, run.written, run.standing, run.closed
    )
