"""A seed becomes a script: which world, and what people, venue and wire do in it."""

from __future__ import annotations

from venues.simulation.choices import below, draw, pick, word
from venues.simulation.script import PX, QTY, Script, Step, Terms, Traits, World

ADAPTERS = ("fix44", "fix44", "fix42", "fix44-leaves", "fix44-chained", "fix44-chained")

# (who, verb, weight): what may happen to an order, and how often.
HAPPENINGS = (
    ("us", "replace", 26),
    ("us", "cancel", 10),
    ("venue", "fill", 60),
    ("venue", "fill_all", 8),
    ("venue", "answer", 16),
    ("venue", "refuse", 8),
    ("venue", "acknowledge", 6),
    ("venue", "bust", 16),
    ("venue", "correct", 16),
    ("venue", "amend_first", 5),
    ("venue", "overfill", 4),
    ("venue", "late_fill", 8),
    ("venue", "cancel", 6),
    ("venue", "expire", 3),
    ("venue", "done_for_day", 5),
    ("venue", "next_day", 4),
    ("venue", "restate_qty", 6),
    ("venue", "restate_px", 3),
    ("venue", "split", 6),
    ("venue", "suspend", 5),
    ("venue", "reinstate", 5),
    ("venue", "stop", 5),
    ("venue", "calculate", 1),
    ("venue", "reject", 2),
    ("venue", "status", 4),
    ("venue", "empty_trade", 1),
    ("venue", "correct_busted", 2),
    ("venue", "reject_twice", 2),
    ("venue", "new_after_reject", 1),
    ("venue", "reject_duplicate", 2),
    ("venue", "foreign", 2),
    ("venue", "echo", 3),
    ("us", "silence", 5),
    ("us", "crash", 14),
    ("wire", "cut", 8),
    ("wire", "join", 8),
    ("wire", "reset", 8),
    ("wire", "resend", 6),
    ("wire", "idle", 20),
)
_TABLE = tuple((who, verb) for who, verb, weight in HAPPENINGS for _ in range(weight))
_SHAPE, _ORDER, _STEP = word("shape"), word("order"), word("step")


def generate(seed: int) -> Script:
    """The script of a seed."""
    orders = 1 + below(10, seed, _SHAPE, 1) // 6 + below(10, seed, _SHAPE, 2) // 8
    world = World(seed, pick(ADAPTERS, seed, _SHAPE, 3), _traits(seed), tuple(_terms(seed, n) for n in range(orders)))
    count = 8 + below(28, seed, _SHAPE, 4)
    steps = [Step(0, "us", "capture", 0, 0, 0)]
    for number in range(1, orders):
        steps.append(Step(number, "us", "capture", number, 0, 0))
    resets = world.traits.resets
    steps += [_step(seed, number, orders, resets=resets) for number in range(orders, orders + count)]
    return Script(world, tuple(steps))


def _traits(seed: int) -> Traits:
    bits = draw(seed, _SHAPE, 5)
    same_exec_id = bits >> 8 & 15 == 0
    return Traits(
        pends=bits & 3 != 0,
        lenient=bits >> 2 & 3 != 0,
        anonymous=(0, 0, 0, 15, 40)[(bits >> 12) % 5],
        reuses_exec_ids=bits >> 6 & 3 == 0,
        same_exec_id=same_exec_id,
        refers_back=bits >> 20 & 1 == 0,
        self_reference=bits >> 21 & 3 == 0,
        terse=bits >> 36 & 3 == 0,
        late_name=bits >> 23 & 1 == 0,
        resets=bits >> 28 & 3 == 0,
        faults=(0, 1, 1, 2, 3)[(bits >> 32) % 5],
    )


def _terms(seed: int, number: int) -> Terms:
    key = (seed, _ORDER, number)
    px = (50 + below(100, *key, 1)) * PX + below(100, *key, 2) * PX // 100
    return Terms(
        side=pick(("1", "1", "1", "2", "2", "5"), *key, 3),
        qty=(1 + below(12, *key, 4)) * 100 * QTY,
        px=None if below(8, *key, 5) == 0 else px,
        tif=pick(("0", "0", "0", "1"), *key, 6),
        divisor=pick((1, 1, 100), *key, 7),
    )


def _step(seed: int, number: int, orders: int, *, resets: bool) -> Step:
    bits = draw(seed, _STEP, number)
    who, verb = _TABLE[bits % len(_TABLE)]
    if verb == "idle" and resets:
        verb = "reset"
    return Step(number, who, verb, (bits >> 20) % orders, (bits >> 28) % 1000, (bits >> 40) % 1000)
