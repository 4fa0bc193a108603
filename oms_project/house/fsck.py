"""``./oms fsck``: every invariant of the house, on its own database, beside ``up`` or without it. It only reads.

Exit 0 when everything holds, 1 when something does not. ``--level N`` goes as far as that level, ``--check CODE`` carries
out one check (more than once: several).
"""

from __future__ import annotations

import json
import os
import time
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from oms_project.house import environment
from oms_project.house.current import house_addresses, mode_of
from oms_project.house.failures import FINDING, HOLDS, BadInput
from oms_project.house.paths import House, this_house

if TYPE_CHECKING:
    from operations.fsck.check import Check, Outcome


def run(arguments: Namespace) -> int:
    """The verb."""
    house = this_house()
    os.chdir(house.root)
    mode = mode_of(house)
    with house_addresses(house) as addresses:
        os.environ.update(environment.common(house, mode), OMS_DATABASE_URL=addresses.read)
        import django

        django.setup()
        from django.db import connections

        from kernel.clock import utc_now
        from operations.fsck.prove import failing
        from operations.fsck.readers import prove_together
        from operations.fsck.snapshot import open_snapshot

        checks, at, started = chosen(arguments.level, arguments.check), utc_now(), time.monotonic()
        try:
            with open_snapshot(at=at, truth=truth_of(house, mode)) as snapshot:
                outcomes = prove_together(snapshot, checks, told=(lambda outcome: None) if arguments.json else show)
        finally:
            connections.close_all()
    found = failing(outcomes)
    if arguments.json:
        answer = {"at": at.isoformat(), "build": environment.build_name(house.root), "holds": not found}
        print(json.dumps({**answer, "checks": [as_json(outcome) for outcome in outcomes]}))
    else:
        print(summary(outcomes, time.monotonic() - started))
    return FINDING if found else HOLDS


def chosen(level: int | None, codes: Sequence[str]) -> tuple[Check, ...]:
    """The checks asked for; BadInput for a code that is none."""
    from operations.fsck.check import Level
    from operations.fsck.registry import BY_CODE, up_to

    for code in codes:
        if code not in BY_CODE:
            raise BadInput(f"There is no check {code}; docs/generated/fsck_checks.md has all of them.")
    return up_to(Level(level) if level is not None else max(Level), codes=codes)


def truth_of(house: House, mode: str) -> Path | None:
    """Where the simulated venues of a demo keep their truth; no real venue has such a file."""
    return house.var / "simulator" if mode == environment.DEMO else None


def as_json(outcome: Outcome) -> dict[str, Any]:
    """One check of the published form."""
    return {
        "code": outcome.check.code,
        "invariant": outcome.check.invariant,
        "level": int(outcome.check.level),
        "holds": outcome.holds,
        "found": outcome.found,
        "examples": list(outcome.examples),
        "seconds": round(outcome.seconds, 3),
    }


def show(outcome: Outcome) -> None:
    """One line a check; under one that fails, where and what to do."""
    check = outcome.check
    word = "holds" if outcome.holds else f"FAILS, {outcome.found} found"
    print(f"{check.level:d} {check.invariant:<4}{check.code:<26}{outcome.seconds:7.2f} s  {word}", flush=True)
    if not outcome.holds:
        print(f"    must hold: {check.sentence}")
        for example in outcome.examples:
            print(f"    found:     {example}")
        print(f"    do:        {check.remedy}", flush=True)


def summary(outcomes: Sequence[Outcome], seconds: float) -> str:
    """The last line for people. Checks run side by side, so that it took less than the sum of theirs."""
    failed = sum(not outcome.holds for outcome in outcomes)
    return f"{len(outcomes)} checks, {failed} that fail, {seconds:.1f} s."
