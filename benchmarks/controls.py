"""``controls``: what each check of the registry costs one order, in microseconds of Python.

Floor: as many bare passes (a method that returns its constant answer) as there are checks. Data: one limit order that every
check lets through, on complete facts, nothing loaded from tables; so what a control costs to *load* is not in it (that is in
``capture`` and ``capture_limits``). Verified: every check passes on every round.
"""

from __future__ import annotations

import time
from typing import Any

from risk.domain.answers import Verdict
from risk.domain.checks import CHECKS
from tests.unit.risk.world import FACTS

ROUNDS = 2_000
TIMES = 5


def main(full: bool) -> dict[str, Any]:
    """Whole registries a second, the floor's, and the cost of each check (best of five turns)."""
    rounds = ROUNDS * (5 if full else 1)
    for check in CHECKS:
        answer = check.answer(FACTS)
        assert answer.verdict is Verdict.PASS, answer
    costs = {check.code: min(_turn(check.answer, rounds) for _ in range(TIMES)) for check in CHECKS}
    bare = CHECKS[0]
    floor = min(_turn(lambda facts: bare.passed(), rounds) for _ in range(TIMES)) * len(CHECKS)
    whole = sum(costs.values())
    return {
        "rate": round(1_000_000 / whole, 1),
        "floor_rate": round(1_000_000 / floor, 1),
        "ratio": round(floor / whole, 3),
        "registry_us": round(whole, 1),
        "checks": len(CHECKS),
        "cost_us": {code: round(cost, 2) for code, cost in sorted(costs.items(), key=lambda item: -item[1])},
        "n": rounds,
    }


def _turn(answer: Any, rounds: int) -> float:
    """Microseconds of one answer."""
    began = time.perf_counter()
    for _ in range(rounds):
        answer(FACTS)
    return (time.perf_counter() - began) / rounds * 1_000_000
