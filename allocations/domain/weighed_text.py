"""The lines of a preview as JSON text: ten thousand are written as columns, what equal shares have in common once. Pure.

Decimals as text; money signed as the account sees it. ``charges``, ``checks`` and ``said`` are there only where there are any.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import chain, repeat

import orjson

from allocations.domain.account_checks import LineCheck
from allocations.domain.block import units_text
from allocations.domain.telling import charges_text
from allocations.domain.weighing import Sized, Weighed
from kernel.columns import looked_up
from kernel.numbers import plain


def lines_text(weighed: Weighed) -> str:
    """The lines as JSON text. What shares of one size and class have in common is written once."""
    keys, exact = list(map(id, weighed.sized)), weighed.plan.allocation.exact
    sizes = dict(zip(keys, weighed.sized, strict=True))
    units = {key: f',"qty":"{plain(one.qty)}","exact":"' for key, one in sizes.items()}
    exactly = {units: units_text(units) for units in set(exact)}
    costs = {key: _costs_json(one) for key, one in sizes.items()}
    columns: list[Iterable[str]] = [
        repeat('{"account":'), _quoted(weighed.accounts), looked_up(units, keys), looked_up(exactly, exact), looked_up(costs, keys)
    ]  # fmt: skip
    if weighed.checks:
        columns.append(_checks_json(weighed.checks, len(keys)))
    if weighed.said is not None:
        columns += repeat(',"said":"'), map(plain, weighed.said), repeat('"')
    lines = "".join(chain.from_iterable(zip(*columns, repeat("},"))))
    return f"[{lines[:-1]}]"


def _costs_json(one: Sized) -> str:
    """What follows of a share of that size."""
    charges = f',"charges":{charges_text(one.costs.told)}' if one.costs.told else ""
    return f'","gross":"{one.gross}","fees":"{one.costs.fees}","net":"{one.net}"{charges}'


def _checks_json(checks: Mapping[int, tuple[LineCheck, ...]], count: int) -> list[str]:
    """Of each line, by place."""
    told = [""] * count
    for place, found in checks.items():
        told[place] = f',"checks":{orjson.dumps([[check.code.value, check.sentence] for check in found]).decode()}'
    return told


def _quoted(texts: Sequence[str]) -> list[str]:
    """Each as JSON text; one look at all of them says whether any needs more than quotes."""
    if len(orjson.dumps("".join(texts))) == sum(map(len, texts)) + 2:
        return [f'"{text}"' for text in texts]
    return [orjson.dumps(text).decode() for text in texts]
