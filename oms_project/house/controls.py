"""The catalogue of controls (``docs/controls.toml``): for each of them what proves it in each of seven situations.

An entry is a test (``tests/...py::name``), a case of the pure table of checks (``case LABEL``), a shared list (``@name``) or,
where a situation cannot exist, the reason why not (``none: ...``). The page for compliance and the test that holds the
catalogue against the code read the same file.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
CATALOGUE = ROOT / "docs" / "controls.toml"
SITUATIONS = {
    "inside": "inside",
    "at": "at the mark",
    "outside": "outside",
    "missing": "data missing",
    "at_once": "two at once",
    "bypass": "bypass attempts",
    "override": "override",
}
CASE, REASON, SHARED = "case ", "none: ", "@"
REPLACED = frozenset({"rule", "runs", "canary"})
"""What a control that is no check of the registry says of itself; of a check the registry says it."""


@dataclass(frozen=True, slots=True)
class Control:
    """One control: how it reads, where it runs, whose word goes past it, and its evidence by situation."""

    code: str
    overridden_by: str
    evidence: Mapping[str, tuple[str, ...]]
    rule: str = ""
    runs: str = ""
    canary: str = ""

    def tests(self, situation: str) -> tuple[str, ...]:
        """Tests named for a situation."""
        return tuple(item for item in self.evidence[situation] if item.startswith("tests/"))

    def cases(self, situation: str) -> tuple[str, ...]:
        """Labels of the pure table named for a situation."""
        return tuple(item.removeprefix(CASE) for item in self.evidence[situation] if item.startswith(CASE))

    def reason(self, situation: str) -> str:
        """Why a situation cannot exist, else the empty text."""
        return next((i.removeprefix(REASON) for i in self.evidence[situation] if i.startswith(REASON)), "")


def read_catalogue(path: Path = CATALOGUE) -> dict[str, Control]:
    """Every control by its code. Raises ValueError where an entry says nothing or something unknown."""
    given = tomllib.loads(path.read_text())
    shared = {name: _listed(value) for name, value in given.pop("shared").items()}
    return {code: _control(code, entry, shared) for code, entry in given.items()}


def _control(code: str, entry: dict[str, Any], shared: Mapping[str, list[str]]) -> Control:
    left = set(entry) - set(SITUATIONS) - REPLACED - {"overridden_by"}
    if left:
        raise ValueError(f"{code}: unknown {', '.join(sorted(left))}")
    evidence = {name: tuple(_expanded(code, name, entry, shared)) for name in SITUATIONS}
    words = {name: entry.get(name, "") for name in REPLACED}
    return Control(code, entry["overridden_by"], evidence, **words)


def _expanded(code: str, situation: str, entry: dict[str, Any], shared: Mapping[str, list[str]]) -> Iterator[str]:
    items = _listed(entry.get(situation, []))
    if not items:
        raise ValueError(f"{code}: nothing is said of {SITUATIONS[situation]}")
    for item in items:
        if item.startswith(SHARED):
            yield from shared[item.removeprefix(SHARED)]
        elif item.startswith(("tests/", CASE, REASON)):
            yield item
        else:
            raise ValueError(f"{code}: {item!r} is neither test, case, reason nor shared")


def _listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


def controls_page(header: list[str]) -> str:
    """The catalogue for a reader of compliance: first what each control says, then what proves it."""
    from risk.domain.canaries import AT_THE_DOOR, CANARIES
    from risk.domain.checks import CHECKS

    catalogue, checks = read_catalogue(), {check.code: check for check in CHECKS}
    tests = {test for one in catalogue.values() for name in SITUATIONS for test in one.tests(name)}
    lines = [
        *header,
        f"{len(catalogue)} controls, {len(checks)} of them checks that every order and every amendment passes, named by",
        f"{len(tests)} tests and the cases of the table in `tests/unit/risk`. `tests/controls` holds this catalogue against",
        "the code: a check without an entry, a test that does not exist or a reason where there is a test fails the build.",
        "",
        "*Runs*: *capture* is every door an order or amendment comes through (ticket, API, batch, upload, preview) and the",
        "second person's approval; *boundary* is once more right before the wire; *delayed* there when the order waited.",
        "*Past it* is whose word lets an order go on: nobody's, the dealer's reason, or a second person's approval.",
        "",
        "| control | rule | runs | past it | daily canary |",
        "|---|---|---|---|---|",
    ]
    for one in catalogue.values():
        check = checks.get(one.code)
        if check is None:
            rule, runs, canary = one.rule, one.runs, one.canary or "–"
        else:
            rule = check.rule
            runs = "capture" + (", boundary" if check.at_boundary else ", delayed" if check.when_delayed else "")
            canary = " and ".join(["facts"] * (one.code in CANARIES) + ["order"] * (one.code in AT_THE_DOOR))
        lines.append(f"| [`{one.code}`](#{one.code.lower()}) | {rule} | {runs} | {one.overridden_by} | {canary} |")
    for one in catalogue.values():
        lines += ["", f"## {one.code}", ""]
        lines += [f"- **{words}**: {_shown(one, name)}" for name, words in SITUATIONS.items()]
    return "\n".join([*lines, ""])


def _shown(one: Control, situation: str) -> str:
    if reason := one.reason(situation):
        return reason
    cases = [f"“{label}”" for label in one.cases(situation)]
    tests = [f"`{test.removeprefix('tests/')}`" for test in one.tests(situation)]
    return ", ".join([*cases, *tests])
