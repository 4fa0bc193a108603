"""``./oms make-files``: counterpart files of a day out of the house's own books, with known breaks planted in them."""

from __future__ import annotations

import json
import os
from argparse import Namespace
from datetime import date
from pathlib import Path

from oms_project.house import environment
from oms_project.house.current import house_addresses, mode_of
from oms_project.house.failures import BAD_INPUT, HOLDS, BadInput
from oms_project.house.paths import this_house


def run(arguments: Namespace) -> int:
    """The verb: only reads the house. With ``--json`` one object, a refusal too."""
    day = _day(arguments.date)
    house = this_house()
    # A path is meant from where the command was given.
    out = Path(arguments.out).absolute() if arguments.out else house.var / "made" / f"{day}-{arguments.seed}"
    os.chdir(house.root)
    mode = mode_of(house)
    with house_addresses(house) as addresses:
        os.environ.update(environment.common(house, mode), OMS_DATABASE_URL=addresses.read)
        import django

        django.setup()
        from django.db import connections

        from kernel.clock import utc_now
        from kernel.errors import Invalid
        from reconciliation.domain.records import Kind
        from reconciliation.services.make_files import make_files

        kinds = _kinds(arguments.kind, [kind.value for kind in Kind])
        try:
            made = make_files(
                day=day, seed=arguments.seed, breaks=arguments.breaks, out=out, kinds=[Kind(kind) for kind in kinds],
                at=utc_now(), variants=arguments.variants,
            )  # fmt: skip
        except Invalid as problem:
            if not arguments.json:
                raise BadInput(problem.sentence) from problem
            print(json.dumps({"error": {"code": problem.code, "sentence": problem.sentence}}))
            return BAD_INPUT
        finally:
            connections.close_all()
    if arguments.json:
        print(json.dumps({"out": str(out), **made.told}))
        return HOLDS
    for file in made.files:
        print(f"{out / file.name}  {file.rows} records")
    for one in made.planted:
        print(f"  {one.plant.full_name}: {one.change.says}")
    return HOLDS


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as problem:
        raise BadInput(f"--date is a day as 2026-11-25, not {text!r}.") from problem


def _kinds(text: str, known: list[str]) -> list[str]:
    wanted = [kind.strip().replace("-", "_") for kind in text.split(",") if kind.strip()]
    for kind in wanted:
        if kind not in known:
            raise BadInput(f"--kind: there is no kind {kind!r}; there are {', '.join(known)}.")
    return wanted or known
