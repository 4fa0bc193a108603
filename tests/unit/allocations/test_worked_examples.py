"""The page of worked examples says what the code does: every number is read from it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from decimal import Decimal as D
from pathlib import Path

import pytest

from allocations.domain.allocating import Plan, make_plan
from allocations.domain.lines import Line, RotationMark, Rules
from allocations.domain.methods import AMOUNT_KEY, read_parameters
from allocations.domain.words import Method
from kernel.fix import Side
from tests.unit.allocations.blocks import account, block

PAGE = Path(__file__).parents[3] / "docs" / "allocations.md"
_PARAMETERS = ("partial", "below_minimum")


@dataclass
class Example:
    title: str
    words: list[str] = field(default_factory=list)
    rows: list[dict[str, str]] = field(default_factory=list)
    result: dict[str, str] = field(default_factory=dict)

    def word(self, name: str, default: str = "") -> str:
        return next((word.removeprefix(name + " ") for word in self.words if word.startswith(name + " ")), default)

    def number(self, name: str) -> int:
        return next(index for index, row in enumerate(self.rows, start=1) if row["account"] == name)


def examples() -> list[Example]:
    found: list[Example] = []
    header: list[str] = []
    for text in PAGE.read_text().splitlines():
        if text.startswith("### "):
            found.append(Example(text[4:]))
            header = []
        elif text.startswith("## ") and found:
            break  # what comes behind the examples of dividing is held by tests of its own
        elif text.startswith("`average"):
            found[-1].result = dict(part.split(" ", 1) for part in text.strip("`").split(" · "))
        elif text.startswith("`") and found and not found[-1].words:
            found[-1].words = text.strip("`").split(" · ")
        elif text.startswith("|") and found:
            cells = [cell.strip() for cell in text.strip("|").split("|")]
            if not header:
                header = cells
            elif not set(text) <= set("|-"):
                found[-1].rows.append(dict(zip(header, cells, strict=True)))
    return found


def plan_of(example: Example) -> Plan:
    method = Method(example.words[0])
    fills = [tuple(one.split(" @ ")) for one in example.words[-1].split(", ")]
    made = block(
        *fills,  # type: ignore[arg-type]
        side=Side.BUY if example.words[1] == "buy" else Side.SELL,
        currency=example.words[2],
        divisor=int(example.word("divisor")),
        lot=example.word("lot"),
        order_qty=example.word("ordered") or None,
    )
    lines = [
        Line(
            account(number),
            D(row[AMOUNT_KEY[method]]),
            place=number,
            minimum=D(row.get("min", "0")),
            house=row.get("class") == "house",
            position=D(row.get("position", "0")),
        )
        for number, row in enumerate(example.rows, start=1)
    ]
    body: dict[str, object] = {name: example.word(name) for name in _PARAMETERS if example.word(name)}
    if "house_needed" in example.words:
        body["house_needed"] = True
    if places := example.word("price_places"):
        body["price_places"] = int(places)
    rules = read_parameters(body).rules
    if start := example.word("from"):
        name, taken = start.split()
        number = example.number(name)
        rules = Rules(start=RotationMark(number, account(number), D(taken)))
    plan = make_plan(method, made, lines, rules)
    assert isinstance(plan, Plan), plan
    return plan


@pytest.mark.parametrize("example", examples(), ids=lambda example: re.sub(r"\W+", "-", example.title))
def test_the_page_is_right(example: Example) -> None:
    plan = plan_of(example)
    found = [(str(line.qty.normalize() + 0), str(line.gross)) for line in plan.lines]
    assert [(D(qty), gross) for qty, gross in found] == [(D(row["alloc"]), row["gross"]) for row in example.rows]
    assert [line.exact for line in plan.lines] == [D(row["exact"]) for row in example.rows]
    assert str(plan.printed_px) == example.result["average"]
    assert str(plan.residual) == example.result["residual"]
    if "next" in example.result:
        name, taken = example.result["next"].split()
        number = example.number(name)
        assert plan.allocation.rotation == RotationMark(number, account(number), D(taken))


def test_the_page_has_every_method_but_manual() -> None:
    assert {Method(example.words[0]) for example in examples()} == set(Method) - {Method.MANUAL}
