"""``./oms start-of-day --kind cash FILE… --json``: take files of the start of day into the books, beside ``up`` or without it.

The same services as page, API and the workflow of the day. One file after the other, each in a transaction of its own. Exit 0
when every file came to an end (applied, or waiting for a second person), 2 when one was refused, 3 when the house cannot run.
"""

from __future__ import annotations

import json
import os
from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from oms_project.house import environment
from oms_project.house.current import house_addresses, mode_of
from oms_project.house.failures import BAD_INPUT, HOLDS, BadInput
from oms_project.house.paths import this_house
from oms_project.house.trading import operator

if TYPE_CHECKING:
    from reconciliation.models import Feed


def run(arguments: Namespace) -> int:
    """The verb."""
    paths = [Path(name).resolve() for name in arguments.files]
    house = this_house()
    os.chdir(house.root)
    with house_addresses(house) as addresses:
        os.environ.update(environment.common(house, mode_of(house)), OMS_DATABASE_URL=addresses.app)
        import django

        django.setup()
        from django.db import connections

        try:
            feed = feed_of(arguments.feed, arguments.kind)
            answers = [taken(path, kind=arguments.kind, source=arguments.source, feed=feed) for path in paths]
        finally:
            connections.close_all()
    refused = any("error" in answer for answer in answers)
    if arguments.json:
        print(json.dumps(answer_of(arguments.kind, answers)))
    else:
        for answer in answers:
            show(answer)
    return BAD_INPUT if refused else HOLDS


def answer_of(kind: str, answers: list[dict[str, Any]]) -> dict[str, Any]:
    """One object: of one file its own figures too, of many each in ``files``."""
    whole: dict[str, Any] = {"kind": kind, "files": answers}
    if len(answers) == 1:
        whole = {**answers[0], **whole}
    elif errors := [answer["error"] for answer in answers if "error" in answer]:
        whole["error"] = errors[0]
    return whole


def feed_of(code: str, kind: str) -> Feed | None:
    """The feed that is named: its terms judge the files and its gate opens by them. Without a name the files answer none."""
    if not code:
        return None
    from reconciliation.models import Feed

    feed = Feed.objects.filter(code=code).first()
    if feed is None or feed.kind != kind:
        known = ", ".join(Feed.objects.filter(kind=kind).order_by("code").values_list("code", flat=True)) or "none"
        raise BadInput(f"--feed: {code} is no feed of {kind}; there are: {known}.")
    return feed


def taken(path: Path, *, kind: str, source: str, feed: Feed | None = None) -> dict[str, Any]:
    """What became of one file."""
    from authorisation.domain.principal import process_principal
    from kernel.clock import utc_now
    from kernel.errors import OmsError
    from reconciliation.selectors.intakes import intake_to_json
    from reconciliation.services.receive_file import receive_file
    from reconciliation.services.take_in import take_in

    actor = process_principal(f"oms start-of-day ({operator()})")
    manifest = path.with_name(path.name + ".manifest")
    try:
        with path.open("rb") as content:
            received = receive_file(
                actor=actor, at=utc_now(), name=path.name, content=content, kind=kind, source=source, feed=feed,
                manifest=manifest.read_bytes() if manifest.is_file() else b"",
            )  # fmt: skip
    except OSError as problem:
        error = {"code": "ARGUMENT_INVALID", "sentence": f"{path} cannot be read: {problem.strerror}."}
        return {**_nothing(path, kind, None), "error": error, "problems": [error]}
    if not received.taken or received.file_id is None:
        faults = [fault.told() for fault in received.faults]
        return {**_nothing(path, kind, received.file_id), "error": faults[0], "problems": faults}
    try:
        intake = take_in(actor=actor, at=utc_now(), file_id=received.file_id)
    except OmsError as problem:
        error = {"code": problem.code, "sentence": problem.sentence}
        return {**_nothing(path, kind, received.file_id), "error": error, "problems": [error]}
    answer = intake_to_json(intake)
    if intake.state == "refused":
        first = intake.issues[0]["code"] if len(intake.issues) == 1 else "INTAKE_REFUSED"
        answer["error"] = {"code": first, "sentence": intake.sentence}
    return answer


def _nothing(path: Path, kind: str, file_id: object) -> dict[str, Any]:
    return {
        "file_id": str(file_id) if file_id else None, "name": path.name, "kind": kind, "state": "refused", "rows": 0,
        "changed": 0, "unchanged": 0, "refused": 0, "totals": {},
    }  # fmt: skip


def show(answer: dict[str, Any]) -> None:
    """For people."""
    print(
        f"{answer['name']}: {answer['state']}; {answer['rows']} rows, {answer['changed']} changed, "
        f"{answer['unchanged']} unchanged, {answer['refused']} refused. {answer.get('sentence', '')}"
    )
    if since := answer.get("since_last"):
        print(
            f"  against {since['file']}: {since['new']} rows new, {since['changed']} changed, {since['gone']} gone, "
            f"{since['same']} the same"
        )
    for problem in answer["problems"]:
        lines = ", ".join(str(line["line"]) for line in problem.get("lines", [])[:5] if line["line"])
        where = f" (lines {lines})" if lines else ""
        print(
            f"  {problem.get('severity', 'error')} {problem['code']} × {problem.get('count', 1)}: {problem['sentence']}{where}"
        )
