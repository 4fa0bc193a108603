"""Pages under ``docs/generated`` that are made from the code, and the check that they are fresh.

``python -m oms_project.house.docs`` writes them, ``--check`` only compares (exit 1 when one is stale).
"""

from __future__ import annotations

import ast
import json
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from oms_project.house.controls import controls_page
from oms_project.house.sbom import sbom

ROOT = Path(__file__).resolve().parents[2]
TARGET = ROOT / "docs" / "generated"
ERROR_CLASSES = {
    "Refused": 422,
    "NotPermitted": 403,
    "NotFound": 404,
    "Invalid": 400,
    "Conflict": 409,
    "Unavailable": 503,
    "InvariantBroken": 500,
}
PACKAGES = (
    "kernel",
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
    "oms_project",
)


def _header(title: str, source: str) -> list[str]:
    return [f"# {title}", "", f"Made from {source} by `python -m oms_project.house.docs`. Do not edit.", ""]


def order_states() -> str:
    """State diagrams of requests and orders, from the one transition table."""
    from orders.domain.diagram import ord_status_diagram, request_state_diagram

    return "\n".join(
        [
            *_header("Order and request states", "`orders/domain/transitions.py`"),
            "## Our requests (`OrderRequest.state`)",
            "",
            "```mermaid",
            request_state_diagram().strip(),
            "```",
            "",
            "## The venue's word (`Order.ord_status`)",
            "",
            "Derived from facts; these are the illustrated transitions of the FIX specification, not a limit.",
            "",
            "```mermaid",
            ord_status_diagram().strip(),
            "```",
            "",
        ]
    )


def breaker_states() -> str:
    """What a circuit breaker may do, from its one table, and the marks it has from the start."""
    from risk.domain.breakers import diagram
    from risk.domain.rates import FROM_THE_START, POLICY

    rows = [
        f"| `{mark.kind.value}` | {mark.words} | {mark.share or '–'} | {mark.pause_s or '–'} | {POLICY[mark.kind]} |"
        for mark in FROM_THE_START.values()
    ]
    return "\n".join(
        [
            *_header("Rates and breakers", "`risk/domain/breakers.py` and `risk/domain/rates.py`"),
            "```mermaid",
            diagram().strip(),
            "```",
            "",
            "| kind | from the start | share, % | pause, s | at the mark |",
            "|---|---|---|---|---|",
            *rows,
            "",
        ]
    )


def webhooks() -> str:
    """The states of a subscription, the pacing of its deliveries, and where the house may send."""
    from outbound.domain import pacing
    from outbound.domain.endpoints import PORTS
    from outbound.domain.transitions import TRANSITIONS, diagram

    lines = _header("Webhooks", "`outbound/domain/transitions.py`, `pacing.py` and `endpoints.py`")
    lines += ["```mermaid", diagram().strip(), "```", "", "| move | from | to | when |", "|---|---|---|---|"]
    lines += [f"| {one.name} | {one.source} | {one.target} | {one.why} |" for one in TRANSITIONS]
    waits = ", ".join(f"{pacing.wait(one, 0.5).total_seconds():g}" for one in range(1, pacing.MOST_ATTEMPTS))
    lines += [
        "",
        "| mark | value |",
        "|---|---|",
        f"| waits between tries of an event, s (each {pacing.SPREAD:.0%} more or less) | {waits} |",
        f"| tries until it is given up, if the endpoint takes others | {pacing.MOST_ATTEMPTS} |",
        f"| failures in a row that open the breaker | {pacing.OPEN_AFTER} |",
        f"| longest wait, s | {pacing.LONGEST_WAIT_S:g} |",
        f"| without any success until the house pauses it, h | {pacing.GIVE_UP_AFTER.total_seconds() / 3600:g} |",
        f"| held for one endpoint until its reading stops | {pacing.MOST_HELD} |",
        f"| ports | {', '.join(map(str, sorted(PORTS)))} |",
    ]
    return "\n".join([*lines, ""])


def corporate_actions() -> str:
    """State diagram of corporate actions and what becomes of open orders, from their two tables."""
    from orders.domain.action_orders import CONVENTIONS, ELSEWHERE
    from refdata.domain.action_terms import KIND_WORDS
    from refdata.domain.action_transitions import TRANSITIONS, diagram

    lines = _header("Corporate actions", "`refdata/domain/action_transitions.py` and `orders/domain/action_orders.py`")
    lines += ["```mermaid", diagram(), "```", "", "| move | from | to | when |", "|---|---|---|---|"]
    lines += [f"| {one.name} | {', '.join(one.sources)} | {one.target} | {one.why} |" for one in TRANSITIONS]
    lines += ["", "## Open orders", "", "| market | " + " | ".join(KIND_WORDS.values()) + " |", "|---|---|---|---|---|"]
    for mic, rule in [*sorted(CONVENTIONS.items()), ("elsewhere", ELSEWHERE)]:
        lines.append(f"| {mic} | " + " | ".join(rule[kind].value for kind in KIND_WORDS) + " |")
    return "\n".join([*lines, ""])


def authorisation_states() -> str:
    """State diagram of what waits for a second person, from its one table, and the first policies of each kind."""
    from authorisation.domain.policy import POLICIES
    from authorisation.domain.transitions import TRANSITIONS, diagram

    lines = _header(
        "Requests for a second person", "`authorisation/domain/transitions.py` and `authorisation/domain/policy.py`"
    )
    lines += ["```mermaid", diagram(), "```", "", "| move | from | to | when |", "|---|---|---|---|"]
    lines += [f"| {one.name} | {', '.join(one.sources)} | {one.target} | {one.why} |" for one in TRANSITIONS]
    lines += [
        "",
        "## The first policy of each kind",
        "",
        "Later ones are dated rows, each from an approved request.",
        "",
    ]
    lines += ["| kind | what | people | right | lapses after |", "|---|---|---|---|---|"]
    for one in POLICIES.values():
        lines.append(f"| `{one.kind}` | {one.title} | {one.checkers} | `{one.right}` | {one.patience} |")
    return "\n".join([*lines, ""])


def exception_states() -> str:
    """State diagram of an exception item, and every kind of matter with its owner, clock, times and runbook."""
    from operations.domain.exception_kinds import GROUPS, KINDS
    from operations.domain.exception_states import TRANSITIONS, diagram

    lines = _header("Exceptions", "`operations/domain/exception_states.py` and `exception_kinds.py`")
    lines += ["```mermaid", diagram(), "```", "", "| move | from | to | when |", "|---|---|---|---|"]
    lines += [f"| {one.name} | {', '.join(one.sources)} | {one.target} | {one.why} |" for one in TRANSITIONS]
    lines += [
        "",
        "## Kinds",
        "",
        "Minutes on the kind's clock until somebody must have dealt with it, by severity.",
        "",
    ]
    lines += [
        "| kind | what | group | clock | critical | high | medium | low | settled by | runbook |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for name, one in sorted(KINDS.items()):
        times = f"{one.sla.critical} | {one.sla.high} | {one.sla.medium} | {one.sla.low}"
        lines.append(
            f"| `{name}` | {one.title} | {GROUPS[one.group]} | {one.clock.value} | {times} | {one.settles} | {one.runbook} |"
        )
    return "\n".join([*lines, ""])


def access_review_states() -> str:
    """State diagrams of access reviews and of their lines, from their tables."""
    from authorisation.domain.review_transitions import (
        LINE_TRANSITIONS,
        REVIEW_TRANSITIONS,
        line_diagram,
        review_diagram,
    )

    lines = _header("Access reviews", "`authorisation/domain/review_transitions.py`")
    for title, diagram, table in (
        ("A review", review_diagram(), REVIEW_TRANSITIONS),
        ("A line of a review", line_diagram(), LINE_TRANSITIONS),
    ):
        lines += [
            f"## {title}",
            "",
            "```mermaid",
            diagram,
            "```",
            "",
            "| move | from | to | when |",
            "|---|---|---|---|",
        ]
        lines += [f"| {one.name} | {', '.join(one.sources)} | {one.target} | {one.why} |" for one in table]
        lines.append("")
    return "\n".join(lines)


def checks() -> str:
    """The pre-trade checks: code and rule text."""
    from risk.domain.checks import CHECKS, REGISTRY_VERSION

    rows = [f"| `{one.code}` | {' '.join(one.rule.split())} | {'yes' if one.at_boundary else 'no'} |" for one in CHECKS]
    return "\n".join(
        [
            *_header("Pre-trade checks", "`risk/domain/checks`"),
            f"In the order people read the answers. Registry version {REGISTRY_VERSION}.",
            "",
            "| check | rule | again right before the wire |",
            "|---|---|---|",
            *rows,
            "",
        ]
    )


def fsck_checks() -> str:
    """Every check of ./oms fsck: what must hold, and what to do where it does not."""
    from operations.fsck.check import Level
    from operations.fsck.registry import CHECKS, before_opening

    lines = _header("Invariants that the house proves of itself", "`operations/fsck`")
    lines += [
        f"{len(CHECKS)} checks. `./oms fsck [--level N] [--check CODE] [--json]` carries them out on one snapshot; nightly all of them.",
        "Those marked ● are carried out before every opening and block what adds risk where they fail. I1 to I10: see the",
        "invariants in the README of each room; a grace is how long two things that do not commit together may differ.",
        "",
    ]
    opening = {check.code for check in before_opening()}
    for level in Level:
        lines += [f"## Level {level:d}: {level.name.lower()}", ""]
        lines += ["| check | | proves | must hold | when it does not |", "|---|---|---|---|---|"]
        lines += [
            f"| `{check.code}` | {'●' if check.code in opening else ''} | {check.invariant} | {check.sentence} | {check.remedy} |"
            for check in CHECKS
            if check.level == level
        ]
        lines.append("")
    return "\n".join(lines)


def event_flow() -> str:
    """Which event runs which listener."""
    from oms_project.flow import LISTENERS

    rows = [f"| {', '.join(f'`{kind}`' for kind in one.kinds)} | `{one.module}` | `{one.name}` |" for one in LISTENERS]
    return "\n".join(
        [
            *_header("Event flow", "`oms_project/flow.py`"),
            "| event | listener | cursor |",
            "|---|---|---|",
            *rows,
            "",
        ]
    )


def settings() -> str:
    """The ``OMS_*`` variables."""
    from oms_project.settings import KNOWN_VARIABLES

    rows = [f"| `{name}` | {text} |" for name, text in sorted(KNOWN_VARIABLES.items())]
    return "\n".join(
        [
            *_header("Settings", "`oms_project/settings.py`"),
            "Any other `OMS_*` variable is refused at start.",
            "",
            "| variable | meaning |",
            "|---|---|",
            *rows,
            "",
        ]
    )


def _raised_errors() -> Iterator[tuple[str, str, str]]:
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text())):
                if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name)):
                    continue
                if node.func.id in ERROR_CLASSES and node.args and isinstance(node.args[0], ast.Constant):
                    yield str(node.args[0].value), node.func.id, str(path.relative_to(ROOT))


def error_codes() -> str:
    """Every literal error code, the answer it gives and where it is raised."""
    found: dict[tuple[str, str], set[str]] = {}
    for code, name, where in _raised_errors():
        found.setdefault((code, name), set()).add(where)
    rows = [
        f"| `{code}` | {name} | {ERROR_CLASSES[name]} | {', '.join(f'`{one}`' for one in sorted(places))} |"
        for (code, name), places in sorted(found.items())
    ]
    return "\n".join(
        [
            *_header("Error codes", "the calls that raise them"),
            "| code | kind | HTTP | raised in |",
            "|---|---|---|---|",
            *rows,
            "",
        ]
    )


def tables() -> str:
    """Every table of a room with its constraints."""
    from django.apps import apps

    lines = _header("Tables", "the models")
    for model in sorted(apps.get_models(), key=lambda one: one._meta.db_table):
        if model._meta.app_label not in PACKAGES or model.__name__.startswith("Historical"):
            continue
        lines += [f"## {model._meta.db_table}", "", " ".join((model.__doc__ or "").split()), ""]
        lines += [f"- `{constraint.name}`" for constraint in model._meta.constraints] or ["- no constraint of its own"]
        lines.append("")
    return "\n".join(lines)


def venue_refusals() -> str:
    """What every refusal and every silence of a venue means to us."""
    from venues.domain.error_contract import CALM, CONTRACT, FIRST_PAUSE, LONGEST_PAUSE, Source

    lines = _header("Refusals of venues", "`venues/domain/error_contract.py`")
    lines += [
        "The house sends nothing again under a new ClOrdID by itself; what it repeats are questions. *Repeatable*: whoever",
        "asked may ask again as it stands. `*` is any code the table does not have. A text that complains of too many",
        "messages is read as 380=8, whatever its code.",
        "",
        f"*Hold back*: what adds risk waits {FIRST_PAUSE.seconds} s, each complaint after that doubles the pause up to",
        f"{LONGEST_PAUSE.seconds} s, {CALM.seconds} calm seconds forget them; cancels and questions always go.",
        "",
    ]
    for source in Source:
        lines += [
            f"## {source.value}",
            "",
            "| code | name | class | repeatable | we | severity | told |",
            "|---|---|---|---|---|---|---|",
        ]
        lines += [
            f"| `{r.code}` | {r.name} | {r.kind.value} | {'yes' if r.repeatable else 'no'} | {r.deed.value} "
            f"| {r.severity.value if r.severity else '–'} | {r.sentence} |"
            for r in CONTRACT
            if r.source is source
        ]
        lines.append("")
    return "\n".join(lines)


def record_columns() -> str:
    """The columns of every kind of record that files bring, and the codes of what can be wrong with them."""
    from reconciliation.domain.records import COLUMNS
    from reconciliation.formats.problems import FileCode, NoteCode, RowCode

    lines = _header("Columns of files", "`reconciliation/domain/records.py` and `reconciliation/formats/problems.py`")
    for kind, columns in COLUMNS.items():
        lines += [f"## {kind.value}", "", "| column | type | required | says |", "|---|---|---|---|"]
        lines += [
            f"| `{one.name}` | {one.type.value}{f', at most {one.longest}' if one.type.value == 'text' else ''} "
            f"| {'yes' if one.required else ''} | {one.says} |"
            for one in columns
        ]
        lines.append("")
    for title, codes in (
        ("The whole file is refused", FileCode),
        ("A row is left out", RowCode),
        ("Passed over without harm, and named", NoteCode),
    ):
        lines += [f"## {title}", "", *(f"* `{one.value}`" for one in codes), ""]
    return "\n".join(lines)


def controls() -> str:
    """Every control with what proves it."""
    return controls_page(_header("Controls", "`docs/controls.toml` and `risk/domain/checks`"))


def _event_schema(family: str) -> Callable[[], str]:
    """The JSON Schema of a family of outbound events, as its file keeps it."""

    def render() -> str:
        from outbound.domain.schemas import family_schema

        return json.dumps(family_schema(family), indent=1, ensure_ascii=False) + "\n"

    return render


def _event_schemas() -> dict[str, Callable[[], str]]:
    from outbound.domain.contracts import FAMILY_VERSIONS
    from outbound.domain.schemas import file_name

    return {f"../formats/events/{file_name(family)}": _event_schema(family) for family in FAMILY_VERSIONS}


DOCS: dict[str, Callable[[], str]] = {
    "order_states.md": order_states,
    "rates.md": breaker_states,
    "authorisation_states.md": authorisation_states,
    "access_review_states.md": access_review_states,
    "exceptions.md": exception_states,
    "corporate_actions.md": corporate_actions,
    "webhooks.md": webhooks,
    "checks.md": checks,
    "controls.md": controls,
    "fsck_checks.md": fsck_checks,
    "event_flow.md": event_flow,
    "settings.md": settings,
    "error_codes.md": error_codes,
    "tables.md": tables,
    "record_columns.md": record_columns,
    "venue_refusals.md": venue_refusals,
    "sbom.cdx.json": lambda: sbom(ROOT),
    **_event_schemas(),
}


def stale_pages() -> list[str]:
    """Names of pages that differ from what the code says now."""
    return [
        name for name, render in DOCS.items() if not (TARGET / name).exists() or (TARGET / name).read_text() != render()
    ]


def main(argv: list[str]) -> int:
    """Write all pages, or with ``--check`` name the stale ones."""
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "oms_project.settings")
    os.environ.setdefault("OMS_MODE", "test")
    django.setup()
    if "--check" in argv:
        stale = stale_pages()
        for name in stale:
            print(f"docs/generated/{name} is stale: run python -m oms_project.house.docs", file=sys.stderr)
        return 1 if stale else 0
    TARGET.mkdir(parents=True, exist_ok=True)
    for name, render in DOCS.items():
        (TARGET / name).write_text(render())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
