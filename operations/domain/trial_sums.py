"""The sums of a trial: what the draft would have answered, by day, desk and account, with examples. Pure, added up in slices."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from risk.domain.answers import Verdict
from risk.domain.trial import Tried

MOST_EXAMPLES = 20
MOST_NAMES = 200
ANSWERS = tuple(verdict.word for verdict in Verdict)


@dataclass(frozen=True, slots=True)
class Past:
    """One past request: whose it was, and the worst answer it really got."""

    ref: str
    day: str
    desk: str
    account: str
    symbol: str
    worst: Verdict


def no_sums() -> dict[str, Any]:
    """Sums of nothing: plain JSON, as kept."""
    return {
        "answers": dict.fromkeys(ANSWERS, 0),
        "worse": 0,
        "not_concerned": 0,
        "not_judged": {},
        "by": {"day": {}, "desk": {}, "account": {}},
        "examples": [],
    }


def add(sums: dict[str, Any], past: Past, tried: Tried) -> None:
    """Count one request in."""
    if tried.missing:
        sums["not_judged"][tried.missing] = sums["not_judged"].get(tried.missing, 0) + 1
        return
    if tried.verdict is None:
        sums["not_concerned"] += 1
        return
    sums["answers"][tried.verdict.word] += 1
    if tried.verdict is Verdict.PASS:
        return
    worse = tried.verdict > past.worst
    sums["worse"] += worse
    for name, value in (("day", past.day), ("desk", past.desk), ("account", past.account)):
        counted = sums["by"][name]
        if value in counted or len(counted) < MOST_NAMES:
            one = counted.setdefault(value, dict.fromkeys(ANSWERS[1:], 0))
            one[tried.verdict.word] += 1
    if len(sums["examples"]) < MOST_EXAMPLES:
        sums["examples"].append(
            {
                "ref": past.ref,
                "day": past.day,
                "account": past.account,
                "symbol": past.symbol,
                "was": past.worst.word,
                "would": tried.verdict.word,
                "sentence": tried.sentence,
                "worse": worse,
            }
        )


def judged(sums: Mapping[str, Any]) -> int:
    """How many requests it could be told of what the draft would have said."""
    return int(sum(sums["answers"].values()) + sums["not_concerned"])
