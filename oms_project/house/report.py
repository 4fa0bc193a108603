"""``./oms report NAME --date D``: a named report of the house's own books, as text, JSON or a CSV file. It only reads.

Without a name: which there are, with their questions. Exit 0 whatever the rows say, 2 for what cannot be asked, 3 when it cannot run.
"""

from __future__ import annotations

import json
import os
from argparse import Namespace
from pathlib import Path
from typing import Any

from oms_project.house import environment
from oms_project.house.current import house_addresses, mode_of
from oms_project.house.failures import BAD_INPUT, HOLDS, BadInput
from oms_project.house.paths import this_house
from oms_project.house.trading import operator

SHOWN = 200


def run(arguments: Namespace) -> int:
    """The verb. A CSV path is meant from where the command was given."""
    house = this_house()
    out = Path(arguments.csv).absolute() if arguments.csv else None
    os.chdir(house.root)
    mode = mode_of(house)
    with house_addresses(house) as addresses:
        os.environ.update(environment.common(house, mode), OMS_DATABASE_URL=addresses.read)
        import django

        django.setup()
        from django.db import connections

        from kernel.errors import OmsError

        try:
            print(_answer(arguments, out))
        except OmsError as problem:
            sentences = [one for told in getattr(problem, "fields", {}).values() for one in told]
            if not arguments.json:
                raise BadInput(" ".join([problem.sentence, *sentences])) from problem
            print(json.dumps({"error": {"code": problem.code, "sentence": problem.sentence}}))
            return BAD_INPUT
        finally:
            connections.close_all()
    return HOLDS


def _answer(arguments: Namespace, out: Path | None) -> str:
    from kernel.clock import utc_now
    from operations.selectors.recon.named_reports import asked_of
    from reconciliation.reports import REPORTS, get_report

    if not arguments.name:
        told = [{"name": one.name, "question": one.question, "by": list(one.by)} for one in REPORTS.values()]
        lines = [f"{one['name']:<16} {one['question']}" for one in told]
        return json.dumps({"reports": told}) if arguments.json else "\n".join(lines)
    words = ("date", "batch", "outage", "word")
    asked = asked_of(get_report(arguments.name), {name: getattr(arguments, name) or "" for name in words})
    return _rows(arguments, asked, out, utc_now())


def _rows(arguments: Namespace, asked: Any, out: Path | None, at: Any) -> str:
    from authorisation.domain.principal import process_principal
    from kernel.canonical import jsonable
    from operations.exporting import Heading, export_table
    from operations.selectors.recon.named_reports import page_of, report_table
    from reconciliation.selectors.reports import MOST_ROWS

    actor = process_principal(f"oms report ({operator()})")
    page = page_of(actor=actor, asked=asked, at=at, limit=MOST_ROWS if arguments.json else SHOWN)
    counts = dict(page.counts)
    if out is not None:
        told = {**asked.filter, "date": str(page.scope.day)}
        table = report_table(actor=actor, asked=asked, heading=Heading(page.report.title, actor.actor, at, filter=told))
        made = export_table(table, "csv")
        out.write_bytes(made.body)
        return f"{out}  {made.rows} rows  sha256 {made.sha256}"
    names = [column.name for column in page.report.columns]
    if arguments.json:
        rows = [dict(zip(names, map(jsonable, row), strict=True)) for row in page.rows]
        told = {"name": page.report.name, "date": page.scope.day.isoformat(), "as_of": at.isoformat(), "counts": counts}
        return json.dumps({**told, "left_out": page.left_out, "rows": rows})
    lines = ["  ".join(str(jsonable(cell)) for cell in row if cell not in (None, "")) for row in page.rows]
    summary = ", ".join(f"{count} {word}" for word, count in counts.items()) or "nothing"
    further = [f"… only the first {SHOWN} rows are shown; --json or --csv has them all."] if page.more else []
    return "\n".join([page.report.question, *lines, *further, f"{page.report.title} of {page.scope.day}: {summary}."])
