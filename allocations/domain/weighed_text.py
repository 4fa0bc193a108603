"""The lines of a preview as JSON text: ten thousand are written as columns, what equal shares have in common once. Pure.

Decimals as text; money signed as the account sees it. ``charges``, ``checks`` and ``said`` are there only where there are any.
"""

from __future__ import annotations

from collections.abc import Sequence

import orjson

from allocations.domain.block import units_text
from allocations.domain.telling import charges_text
from allocations.domain.weighing import Sized, Weighed
from kernel.columns import looked_up
from kernel.numbers import plain


def lines_text(weighed: Weighed) -> str:
    """The lines as JSON text. What shares of one size and class have in common is written once."""
    keys = list(map(id, weighed.sized))
    texts = {key: _sized_json(one) for key, one in dict(zip(keys, weighed.sized, strict=True)).items()}
    exact = weighed.plan.allocation.exact
    exactly = {units: units_text(units) for units in set(exact)}
    lines = [
        f'{{"account":{code},"qty":"{qty}","exact":"{exactly[units]}"{rest}'
        for code, units, (qty, rest) in zip(_quoted(weighed.accounts), exact, looked_up(texts, keys), strict=True)
    ]
    for place, checks in weighed.checks.items():
        told = [[check.code.value, check.sentence] for check in checks]
        lines[place] += f',"checks":{orjson.dumps(told).decode()}'
    if weighed.said is not None:
        lines = [f'{line},"said":"{plain(said)}"' for line, said in zip(lines, weighed.said, strict=True)]
    return f"[{'},'.join(lines)}}}]"


def _sized_json(one: Sized) -> tuple[str, str]:
    """Units, and what follows of a share of that size."""
    charges = f',"charges":{charges_text(one.costs.told)}' if one.costs.told else ""
    return plain(one.qty), f',"gross":"{one.gross}","fees":"{one.costs.fees}","net":"{one.net}"{charges}'


def _quoted(texts: Sequence[str]) -> list[str]:
    """Each as JSON text; one look at all of them says whether any needs more than quotes."""
    if len(orjson.dumps("".join(texts))) == sum(map(len, texts)) + 2:
        return [f'"{text}"' for text in texts]
    return [orjson.dumps(text).decode() for text in texts]
