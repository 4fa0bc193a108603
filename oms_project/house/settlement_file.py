"""``./oms settlement-file PATH --source CUSTODIAN``: take in what a custodian says of our settlement instructions.

The same service as folder and API. Exit 0 when the file was read, 1 when records of it could not be (the rest was taken), 2 when
nothing of it could be used, 3 when the house cannot run. The same file again changes nothing.
"""

from __future__ import annotations

import json
import os
from argparse import Namespace
from pathlib import Path
from typing import Any

from oms_project.house import environment
from oms_project.house.current import house_addresses, mode_of
from oms_project.house.failures import BAD_INPUT, FINDING, HOLDS, BadInput
from oms_project.house.paths import this_house
from oms_project.house.trading import operator

BAD_SHOWN = 20


def run(arguments: Namespace) -> int:
    """The verb."""
    path = Path(arguments.file).resolve()
    if not path.is_file():
        raise BadInput(f"There is no file {arguments.file}.")
    house = this_house()
    os.chdir(house.root)
    with house_addresses(house) as addresses:
        os.environ.update(environment.common(house, mode_of(house)), OMS_DATABASE_URL=addresses.app)
        import django

        django.setup()
        from django.db import connections

        try:
            answer = _taken(path, arguments.source or path.parent.name)
        finally:
            connections.close_all()
    print(json.dumps(answer) if arguments.json else _text(answer))
    if "error" in answer:
        return BAD_INPUT
    return FINDING if answer["bad"] else HOLDS


def _taken(path: Path, source: str) -> dict[str, Any]:
    from allocations.services.receive_statuses import receive_statuses
    from authorisation.domain.principal import process_principal
    from kernel.clock import utc_now
    from kernel.errors import OmsError

    actor = process_principal(f"oms settlement-file ({operator()})")
    try:
        done = receive_statuses(actor=actor, at=utc_now(), content=path.read_bytes(), source=source)
    except OmsError as problem:
        return {"file": path.name, "source": source, "error": {"code": problem.code, "sentence": problem.sentence}}
    return {
        "file": path.name,
        "source": source,
        "sha256": done.sha256,
        "records": done.records,
        "stored": done.stored,
        "moved": done.moved,
        "contradictions": done.contradictions,
        "unknown": done.unknown,
        "bad": [{"line": one.line, "sentence": one.sentence} for one in done.bad],
    }


def _text(answer: dict[str, Any]) -> str:
    if "error" in answer:
        return f"{answer['file']}: {answer['error']['sentence']}"
    first = (
        f"{answer['file']} of {answer['source']}: {answer['records']} records, {answer['stored']} new, "
        f"{answer['moved']} instructions moved, {answer['contradictions']} contradictions, {answer['unknown']} of nobody."
    )
    bad = [f"  line {one['line']}: {one['sentence']}" for one in answer["bad"][:BAD_SHOWN]]
    return "\n".join([first, *bad])
