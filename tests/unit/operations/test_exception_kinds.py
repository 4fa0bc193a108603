"""Every kind of matter that any room raises has its line; every line leads somewhere."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from operations.domain import exception_kinds
from operations.domain.exception_kinds import GROUPS, HEADS, KINDS, OTHERWISE, SAFE_ACTIONS, kind_of
from operations.domain.working_clock import ClockName
from operations.selectors.exception_actions import _BUILDERS
from reconciliation.domain.file_faults import FaultCode
from tests.architecture.house import ROOT, python_files
from venues.domain.recovering import Kind as Difference

ROOMS = (
    "journal",
    "authorisation",
    "refdata",
    "accounts",
    "risk",
    "orders",
    "venues",
    "outbound",
    "reconciliation",
    "operations",
)
MAKERS = {"Anomaly": 0, "AnomalyFound": 0, "Note": 1}
TELLERS: dict[tuple[str, str], int | str] = {
    ("orders/services/_actions.py", "tell"): 1,
    ("orders/services/_cancel_review.py", "tell"): "kind",
    ("orders/services/_excess.py", "_anomaly"): 1,
    ("venues/services/mark_handed_over.py", "_tell"): 0,
    ("venues/services/on_post_trade_released.py", "_raise"): 0,
    ("journal/services/seal_events.py", "_anomaly"): 0,
    ("journal/services/anchor_seals.py", "_anomaly"): 0,
    ("outbound/services/_events.py", "set_matter"): 1,
}
"""Functions that take the kind from their callers, and where in the call it stands."""
CALLED = MAKERS.keys() | {name for _, name in TELLERS}
FROM_ELSEWHERE = {
    "orders/services/apply_reports.py", "orders/domain/fold.py", "orders/domain/facts.py", "refdata/services/_write_prices.py",
    "operations/services/check_replay.py", "outbound/services/end_webhook.py", "outbound/services/resume_webhook.py",
}  # fmt: skip
"""They pass on a kind that another place named."""
BY_TABLE = {
    "venues/services/_differences.py": {one.value for one in Difference} - {"NOT_OURS"} | {"ORDER_NOT_OURS"},
    "reconciliation/services/_feed_anomalies.py": {code.value for code in FaultCode},
    "risk/services/watch_processes.py": {"PROCESSES_DIFFER", "CLOCK_OFF"},
}


def test_every_kind_the_house_raises_has_its_line() -> None:
    raised = set().union(*BY_TABLE.values()) | {kind for _, kind in named_kinds() if kind}
    assert {"REQUEST_UNKNOWN", "WEBHOOK_HALTED", "SEALER_BEHIND", "INTENT_FORGED", "LATE_TRADE"} <= raised
    assert sorted(raised - set(KINDS)) == []


def test_every_place_that_takes_its_kind_from_elsewhere_is_known() -> None:
    unknown = {path for path, kind in named_kinds() if kind is None}
    assert sorted(unknown - {path for path, _ in TELLERS} - FROM_ELSEWHERE - set(BY_TABLE)) == []


@pytest.mark.parametrize("name", [*KINDS, "NEVER_HEARD_OF"])
def test_a_line_is_whole(name: str) -> None:
    kind = kind_of(name)
    assert kind.group in GROUPS
    assert kind.group in HEADS
    assert kind.sla.critical < kind.sla.high < kind.sla.medium < kind.sla.low
    assert re.fullmatch(r"R-\d\d", kind.runbook)
    assert set(kind.actions) <= set(SAFE_ACTIONS) == set(_BUILDERS)
    assert kind.settles in (exception_kinds.HOUSE, exception_kinds.PERSON)


def test_each_runbook_names_the_kinds_that_lead_to_it() -> None:
    told = {}
    for page in sorted((ROOT / "docs/runbooks").glob("R-*.md")):
        line = next(line for line in page.read_text().splitlines() if line.startswith("Kind"))
        told[page.name[:4]] = set(re.findall(r"`([A-Z_]+)`", line))
    assert told == {number: {name for name, kind in KINDS.items() if kind.runbook == number} for number in told}
    assert {kind.runbook for kind in KINDS.values()} <= told.keys()


def test_an_unknown_kind_is_nobodys_to_close_and_runs_day_and_night() -> None:
    assert kind_of("NEVER_HEARD_OF") is OTHERWISE
    assert (OTHERWISE.by_person, OTHERWISE.clock) == (False, ClockName.WALL)


@cache
def named_kinds() -> tuple[tuple[str, str | None], ...]:
    """``(file, kind)`` of every call that names one; None where it is none of a constant."""
    return tuple(found_kinds())


def found_kinds() -> Iterator[tuple[str, str | None]]:
    read = {path: Read(ast.parse(path.read_text())) for path in python_files(*ROOMS, "oms_project")}
    constants = {module_of(path): one.constants for path, one in read.items()}
    for path, one in read.items():
        here = str(path.relative_to(ROOT))
        names, places = dict(one.constants), dict[str, int | str](MAKERS)
        places |= {name: place for (file, name), place in TELLERS.items() if file == here}
        for node in one.imports:
            file = str(node.module).replace(".", "/") + ".py"
            places |= {one.name: TELLERS[file, one.name] for one in node.names if (file, one.name) in TELLERS}
            found = constants.get(str(node.module), {})
            names |= {one.asname or one.name: found[one.name] for one in node.names if one.name in found}
        for name, call in one.calls:
            if name in places:
                for kind in kinds_in(call, places[name], names):
                    yield here, kind


class Read:
    """Of one file what names kinds: the tree itself is let go, a thousand of them would be a burden."""

    def __init__(self, tree: ast.Module) -> None:
        self.constants = constants_of(tree)
        self.imports: list[ast.ImportFrom] = []
        self.calls: list[tuple[str, ast.Call]] = []
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and node.module is not None:
                self.imports.append(node)
            elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in CALLED:
                self.calls.append((node.func.id, node))


def kinds_in(call: ast.Call, place: int | str, names: dict[str, str]) -> list[str | None]:
    value = next((one.value for one in call.keywords if one.arg == "kind"), None)
    if value is None and isinstance(place, int) and len(call.args) > place:
        value = call.args[place]
    return read(value, names) if value is not None else []


def read(value: ast.expr, names: dict[str, str]) -> list[str | None]:
    if isinstance(value, ast.Constant):
        return [str(value.value)]
    if isinstance(value, ast.IfExp):
        return read(value.body, names) + read(value.orelse, names)
    return [names.get(value.id) if isinstance(value, ast.Name) else None]


def module_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts)


def constants_of(tree: ast.Module) -> dict[str, str]:
    """Texts under a name at the top of a module, alone or several in a line."""
    found: dict[str, str] = {}
    for node in tree.body:
        if not isinstance(node, ast.Assign):
            continue
        target = node.targets[0]
        pairs = (
            zip(target.elts, node.value.elts, strict=False)
            if isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple)
            else [(target, node.value)]
        )
        for name, value in pairs:
            if isinstance(name, ast.Name) and isinstance(value, ast.Constant) and isinstance(value.value, str):
                found[name.id] = value.value
    return found
