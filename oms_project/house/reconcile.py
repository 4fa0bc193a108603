"""``./oms reconcile KIND --source FILE --as-of DATE``: a counterparty's records against ours, every difference with its why.

Exit 0 when the comparison was completed, breaks or not; 2 when the file cannot be used, with ``--json`` as one object that
says why; 3 when it cannot run. The same file again finds the same breaks and writes none.
"""

from __future__ import annotations

import json
import os
from argparse import Namespace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from oms_project.house import environment
from oms_project.house.current import house_addresses, mode_of
from oms_project.house.failures import BAD_INPUT, HOLDS, BadInput
from oms_project.house.paths import this_house
from oms_project.house.trading import operator

if TYPE_CHECKING:
    from reconciliation.services.do_run import RunResult
    from reconciliation.services.receive_file import Received

PROBLEMS_SHOWN = 100


def run(arguments: Namespace) -> int:
    """The verb. The file is kept first, so that the run can be done again whatever stops it."""
    path = Path(arguments.source).absolute()
    try:
        day = _day(arguments.as_of)
        if not path.is_file():
            raise BadInput(f"--source: there is no file {arguments.source}.")
    except BadInput as problem:
        if not arguments.json:
            raise
        print(json.dumps({"error": {"code": "ARGUMENT_INVALID", "sentence": str(problem)}, "kind": arguments.kind}))
        return BAD_INPUT
    house = this_house()
    os.chdir(house.root)
    mode = mode_of(house)
    with house_addresses(house) as addresses:
        os.environ.update(environment.common(house, mode), OMS_DATABASE_URL=addresses.app)
        import django

        django.setup()
        from django.db import connections

        from kernel.errors import OmsError

        try:
            answer = _reconcile(arguments, path, day)
        except OmsError as problem:
            if not arguments.json:
                raise BadInput(problem.sentence) from problem
            print(json.dumps({"error": {"code": problem.code, "sentence": problem.sentence}, "kind": arguments.kind}))
            return BAD_INPUT
        finally:
            connections.close_all()
    if "error" in answer and not arguments.json:
        raise BadInput(str(answer["error"]["sentence"]))
    print(json.dumps(answer) if arguments.json else _text(answer))
    return BAD_INPUT if "error" in answer else HOLDS


def _reconcile(arguments: Namespace, path: Path, day: date) -> dict[str, Any]:
    from authorisation.domain.principal import process_principal
    from kernel.clock import utc_now
    from reconciliation.models import FeedFile, Run
    from reconciliation.services.receive_file import receive_file
    from reconciliation.services.run_reconciliation import run_reconciliation

    actor = process_principal(f"oms reconcile ({operator()})")
    manifest = path.with_name(path.name + ".manifest")
    with path.open("rb") as content:
        received = receive_file(
            actor=actor, at=utc_now(), name=path.name, content=content, kind=arguments.kind,
            source=arguments.from_, format=arguments.format,
            manifest=manifest.read_bytes() if manifest.is_file() else b"",
        )  # fmt: skip
    if not received.taken or received.file_id is None:
        return _refused(received, arguments.kind)
    result = run_reconciliation(
        kind=arguments.kind, file=FeedFile.objects.get(id=received.file_id), as_of=day, actor=actor, at=utc_now(),
        trigger=Run.Trigger.BY_HAND, now=utc_now,
    )  # fmt: skip
    return _answer(result)


def _refused(received: Received, kind: str) -> dict[str, Any]:
    from reconciliation.models import FeedFile

    row = FeedFile.objects.filter(id=received.file_id).first() if received.file_id else None
    first = next((fault for fault in received.faults if fault.refuses), None)
    error = first.told() if first else {"code": "FILE_REFUSED", "sentence": ""}
    return {"error": error, "kind": kind, "problems": list(row.problems)[:PROBLEMS_SHOWN] if row else []}


def _answer(result: RunResult) -> dict[str, Any]:
    from reconciliation.models import Break, Run, RunBreak

    run = Run.objects.select_related("file").get(id=result.run_id)
    found = RunBreak.objects.filter(run=run).exclude(word=RunBreak.Word.CLOSED)
    breaks = Break.objects.filter(id__in=found.values("item_id")).order_by("key")
    return {
        "run_id": str(run.id),
        "kind": run.kind,
        "as_of": run.as_of.isoformat(),
        "internal": run.internal,
        "external": run.external,
        "matched": run.matched,
        "written": run.written,
        "breaks": [
            {
                "key": item.key, "category": item.category, "ids": item.ids, "why": item.why, "ref": item.ref,
                "differences": item.differences, "suggestion": item.suggestion, "candidates": item.candidates,
                "exposure": None if item.exposure is None else f"{item.exposure.normalize():f}",
                "currency": item.exposure_currency,
            }
            for item in breaks.iterator()
        ],
        "source": run.source,
        "state": run.state,
        "standing": run.standing,
        "closed": run.closed,
        "suspect": run.sentence,
        "sha256": run.file.sha256 if run.file else "",
        "rows_refused": int(run.file.counted.get("refused", 0)) if run.file else 0,
        "problems": list(run.file.problems)[:PROBLEMS_SHOWN] if run.file else [],
    }  # fmt: skip


def _text(answer: dict[str, Any]) -> str:
    from reconciliation.domain.sources import is_derived

    lines = [f"{one['ref']}  {one['category']:<18} {one['why']}" for one in answer["breaks"]]
    lines.append(
        f"{answer['kind']} of {answer['source']} as of {answer['as_of']}: {answer['internal']} with us, {answer['external']} with "
        f"them, {answer['matched']} agree; {len(answer['breaks'])} breaks, {answer['written']} of them new, {answer['closed']} closed."
    )
    if is_derived(answer["source"]):
        lines.append("Nobody says whose word the file is: it goes by its name. Name its sender with --from.")
    if answer["suspect"]:
        lines.append(f"Suspect: {answer['suspect']}")
    return "\n".join(lines)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as problem:
        raise BadInput(f"--as-of is a day as 2026-11-25, not {text!r}.") from problem
