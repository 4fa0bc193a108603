"""The scenario file format: FIX order state change matrices as data, read strictly.

A file that is not exactly in the format is refused with one sentence (``BadScenario``): a check that skips what it does
not understand proves nothing. Numbers are Decimals from the first character on.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from kernel.fix import ExecTransType, ExecType, OrdStatus

SPEC_VERSIONS = ("4.2", "4.4", "5.0SP2")
MESSAGES = {"out": frozenset("DGFH"), "in": frozenset("89"), "none": frozenset({"EV"})}
TIFS = frozenset("0123456789ABC")  # the whole FIX code set; the core only asks whether an order outlives its day

_SCENARIO_KEYS = frozenset(
    {"id", "spec_version", "group", "title", "steps", "paths", "terminal_state", "note", "source_url"}
)
_TEXT_KEYS = frozenset(
    {"n", "dir", "msg", "order", "clordid", "origclordid", "orderid", "execid", "execref", "exectype", "exectranstype"}
    | {"ordstatus", "tif", "possresend", "alt", "reason", "note", "anomaly"}
)
_NUMBER_KEYS = frozenset(
    {"orderqty", "cashorderqty", "cumqty", "leavesqty", "lastqty", "lastpx", "price", "avgpx"}
    | {"dayorderqty", "daycumqty"}
)
_STEP_KEYS = _TEXT_KEYS | _NUMBER_KEYS | {"seq", "crosses"}
_CODES: dict[str, frozenset[str]] = {
    "exectype": frozenset(ExecType),
    "ordstatus": frozenset(OrdStatus),
    "exectranstype": frozenset(ExecTransType),
    "tif": TIFS,
    "possresend": frozenset("YN"),
}


class BadScenario(ValueError):
    """The file cannot be read as scenarios; the message is one sentence for a person."""


@dataclass(frozen=True, slots=True)
class Step:
    """One row: ``text`` and ``number`` hold exactly the keys the row has."""

    seq: int
    text: Mapping[str, str]
    number: Mapping[str, Decimal]

    @property
    def direction(self) -> str:
        return self.text["dir"]

    @property
    def msg(self) -> str:
        return self.text["msg"]

    @property
    def order(self) -> str:
        """Which of our orders the row is about; "" is the one that was phoned."""
        return self.text.get("order", "")

    @property
    def is_anomaly(self) -> bool:
        """The source prints this row against its own rules: it is fed, nothing of it is compared."""
        return "anomaly" in self.text

    @property
    def is_status_answer(self) -> bool:
        return (
            self.text.get("exectype") == ExecType.ORDER_STATUS or self.text.get("exectranstype") == ExecTransType.STATUS
        )

    @property
    def day(self) -> int:
        """The trading day: row "2.1" is on day 2, a row without a dot on day 1."""
        head, dot, _ = self.text.get("n", "1").partition(".")
        return int(head) if dot else 1


@dataclass(frozen=True, slots=True)
class ScenarioPath:
    """One run from nothing: these steps, in this order, and nothing else."""

    label: str
    steps: tuple[Step, ...]

    @property
    def sent_orders(self) -> frozenset[str]:
        """The orders for which the path has a NEW of ours."""
        return frozenset(step.order for step in self.steps if step.msg == "D")


@dataclass(frozen=True, slots=True)
class Scenario:
    id: str
    spec_version: str
    title: str
    paths: tuple[ScenarioPath, ...]


def read_scenarios(path: Path) -> tuple[Scenario, ...]:
    """All scenarios of a file. Raises BadScenario with one sentence for anything unreadable, unknown or missing."""
    try:
        raw = json.loads(path.read_text(encoding="utf-8"), parse_float=Decimal, parse_constant=_no_constant)
    except OSError as error:
        raise BadScenario(f"{path}: cannot be read ({error.strerror or error}).") from None
    except (ValueError, RecursionError) as error:
        raise BadScenario(f"{path}: is not valid JSON ({error}).") from None
    if not isinstance(raw, list):
        raise BadScenario(f"{path}: a scenario file is a list of scenarios.")
    scenarios = tuple(_scenario(item, place) for place, item in enumerate(raw, start=1))
    ids = [scenario.id for scenario in scenarios]
    for scenario_id in ids:
        if ids.count(scenario_id) > 1:
            raise BadScenario(f"scenario {scenario_id}: the id is used twice.")
    return scenarios


def _no_constant(name: str) -> Decimal:
    raise ValueError(f"{name} is not a number")


def _scenario(raw: object, place: int) -> Scenario:
    if not isinstance(raw, dict):
        raise BadScenario(f"scenario number {place}: is not an object.")
    where = f"scenario {raw.get('id', f'number {place}')}"
    _known_keys(raw, _SCENARIO_KEYS, where)
    for key in ("id", "spec_version", "title"):
        if not isinstance(raw.get(key), str):
            raise BadScenario(f"{where}: {key} is missing or not text.")
    if raw["spec_version"] not in SPEC_VERSIONS:
        raise BadScenario(f"{where}: spec_version {raw['spec_version']!r} is none of {', '.join(SPEC_VERSIONS)}.")
    steps: dict[int, Step] = {}
    for item in _list(raw, "steps", where):
        step = _step(item, where)
        if step.seq in steps:
            raise BadScenario(f"{where}: seq {step.seq} is used twice.")
        steps[step.seq] = step
    paths = tuple(_path(item, steps, where) for item in _list(raw, "paths", where))
    return Scenario(raw["id"], raw["spec_version"], raw["title"], paths)


def _step(raw: object, where: str) -> Step:
    if not isinstance(raw, dict):
        raise BadScenario(f"{where}: a step is not an object.")
    seq = raw.get("seq")
    if not isinstance(seq, int) or isinstance(seq, bool):
        raise BadScenario(f"{where}: a step has no whole number as seq.")
    where = f"{where}, seq {seq}"
    _known_keys(raw, _STEP_KEYS, where)
    text: dict[str, str] = {}
    number: dict[str, Decimal] = {}
    for key, value in raw.items():
        if key in _TEXT_KEYS:
            text[key] = _text(key, value, where)
        elif key in _NUMBER_KEYS:
            number[key] = _decimal(key, value, where)
        elif key == "crosses" and not isinstance(value, bool):
            raise BadScenario(f"{where}: crosses is neither true nor false.")
    step = Step(seq, text, number)
    _check_step(step, where)
    return step


def _check_step(step: Step, where: str) -> None:
    direction = step.text.get("dir")
    if direction not in MESSAGES:
        raise BadScenario(f"{where}: dir {direction!r} is none of out, in, none.")
    msg = step.text.get("msg")
    if msg not in MESSAGES[direction]:
        raise BadScenario(f"{where}: msg {msg!r} is not one that goes {direction}.")
    needed = {"D": ("clordid",), "G": ("clordid", "origclordid"), "F": ("clordid", "origclordid")}.get(msg, ())
    if msg == "8":
        needed = ("exectype",)
    for key in needed:
        if key not in step.text:
            raise BadScenario(f"{where}: a {msg} needs {key}.")
    if msg == "D" and "orderqty" not in step.number and "cashorderqty" not in step.number:
        raise BadScenario(f"{where}: a D needs orderqty or cashorderqty.")
    head = step.text.get("n", "1").partition(".")[0]
    if not head.isdecimal() or int(head) < 1:
        raise BadScenario(f"{where}: n {step.text['n']!r} is not a row number.")


def _path(raw: object, steps: Mapping[int, Step], where: str) -> ScenarioPath:
    if not isinstance(raw, dict) or not isinstance(raw.get("label"), str):
        raise BadScenario(f"{where}: a path is not an object with a label.")
    where = f"{where}, path {raw['label']}"
    _known_keys(raw, frozenset({"label", "seqs"}), where)
    chosen: list[Step] = []
    for seq in _list(raw, "seqs", where):
        if isinstance(seq, bool) or not isinstance(seq, int) or seq not in steps:
            raise BadScenario(f"{where}: there is no step with seq {seq!r}.")
        chosen.append(steps[seq])
    return ScenarioPath(raw["label"], tuple(chosen))


def _known_keys(raw: Mapping[str, Any], known: frozenset[str], where: str) -> None:
    unknown = sorted(set(raw) - known)
    if unknown:
        raise BadScenario(f"{where}: unknown key {unknown[0]!r}.")


def _list(raw: Mapping[str, Any], key: str, where: str) -> Sequence[object]:
    value = raw.get(key)
    if not isinstance(value, list):
        raise BadScenario(f"{where}: {key} is missing or not a list.")
    return value


def _text(key: str, value: object, where: str) -> str:
    if not isinstance(value, str):
        raise BadScenario(f"{where}: {key} is not text.")
    if key in _CODES and value not in _CODES[key]:
        raise BadScenario(f"{where}: {key} {value!r} is not a known code.")
    return value


def _decimal(key: str, value: object, where: str) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise BadScenario(f"{where}: {key} is not a number.")
    number = Decimal(value)
    if not number.is_finite():
        raise BadScenario(f"{where}: {key} is not a finite number.")
    return number
