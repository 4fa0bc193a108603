"""Play a path in a seeded disorder and compare its end with that of the ordered run: the same set, the same state.

Our requests go out first, in their order; then the venue's rows arrive in any permutation and in batches of any size,
each with MsgSeqNum = its place in the path.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from random import Random

from kernel.numbers import plain
from orders.scenario_file import Scenario, ScenarioPath, Step
from orders.scenario_play import Delivery, Difference, End, House, copies_of, play

MakeHouse = Callable[[Scenario, Sequence[Step]], House]


def play_shuffled(
    scenario: Scenario, path: ScenarioPath, make_house: MakeHouse, *, seed: int, twice: bool
) -> tuple[Difference, ...]:
    """The differences of the ordered run, row by row, and of the disordered one at its end."""
    straight = make_house(scenario, path.steps)
    differences = play(path, straight, spec_version=scenario.spec_version, twice=twice)
    crooked = make_house(scenario, path.steps)
    _feed(path, crooked, Random(f"{seed} {scenario.id} {path.label}"), twice)  # noqa: S311 - a test's dice
    return differences + _compare_ends(path, straight, crooked)


def _feed(path: ScenarioPath, house: House, dice: Random, twice: bool) -> None:
    arriving: list[Delivery] = []
    for place, step in enumerate(path.steps, start=1):
        if step.direction == "out":
            house.send(step, place)
        elif step.direction == "in":
            arriving += copies_of(step, place, twice=twice)
    dice.shuffle(arriving)
    while arriving:
        size = dice.randint(1, len(arriving))
        house.receive(arriving[:size])
        arriving = arriving[size:]


def _compare_ends(path: ScenarioPath, straight: House, crooked: House) -> tuple[Difference, ...]:
    if not path.steps:
        return ()
    last, day = path.steps[-1].seq, max(step.day for step in path.steps)
    differences: list[Difference] = []
    for order in sorted({step.order for step in path.steps}):
        expected, got = _fields(straight.end(order, day)), _fields(crooked.end(order, day))
        differences += [
            Difference(last, f"shuffled-{name}", expected[name], got.get(name, "none"))
            for name in expected
            if expected[name] != got.get(name, "none")
        ]
    return tuple(differences)


def _fields(end: End | None) -> dict[str, str]:
    if end is None:
        return {"order": "none"}
    seen = end.seen
    return {
        "order": "exists",
        "ordstatus": seen.ord_status or "none",
        "orderqty": "none" if seen.order_qty is None else plain(seen.order_qty),
        "cumqty": plain(seen.cum_qty),
        "leavesqty": plain(seen.leaves_qty),
        "avgpx": plain(end.avg_px),
        "clordid": seen.cl_ord_id or "none",
        "executions": _listed(end.executions),
    }


def _listed(executions: Sequence[tuple[str, Decimal, Decimal]]) -> str:
    return " ".join(f"{name}:{plain(qty)}@{plain(px)}" for name, qty, px in sorted(executions)) or "none"
