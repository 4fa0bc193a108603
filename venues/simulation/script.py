"""What a scenario is: a world and a list of steps, all of it data.

A step that does not apply (a fill of an order that is over) does nothing, so that steps can be taken out one by one.
``Step.id`` is the step's number in the script as generated: it keys every choice made while the step runs.
"""

from __future__ import annotations

from typing import NamedTuple

QTY = 100
"""Quantities are whole numbers of hundredths of a unit here: the venue's books share no arithmetic with ours."""
PX = 10**8
"""Prices are whole numbers of 1/100,000,000."""


class Terms(NamedTuple):
    """An order somebody will enter. ``px`` is None for a market order; ``divisor`` is 100 where prices are in pence."""

    side: str
    qty: int
    px: int | None
    tif: str
    divisor: int


class Traits(NamedTuple):
    """How this venue and its wire behave, from start to end."""

    pends: bool  # reports PendingCancel and PendingReplace
    lenient: bool  # takes any OrigClOrdID of the order, not only the working one
    anonymous: int  # per cent of reports that name the order by OrderID alone
    reuses_exec_ids: bool  # trades of an order count 1, 2, 3 ... whatever other orders do
    same_exec_id: bool  # all trades of an order carry one ExecID; such a venue neither busts nor corrects
    refers_back: bool  # a second correction names the first ExecID, not the latest
    self_reference: bool  # a bust repeats the trade's ExecID and leaves ExecRefID out
    terse: bool  # leaves OrderQty and Price out of Replaced: they are as we asked
    late_name: bool  # trades after a cancel carry the ClOrdID of the cancel
    resets: bool  # numbers may start again in the middle of the day
    faults: int  # 0 a perfect wire, up to 3


class World(NamedTuple):
    """``adapter`` names the dialect; orders are numbered from 0."""

    seed: int
    adapter: str
    traits: Traits
    terms: tuple[Terms, ...]


class Step(NamedTuple):
    """``verb`` of ``who`` (us, venue, wire) about order ``order``; ``a`` and ``b`` are the verb's free numbers."""

    id: int
    who: str
    verb: str
    order: int
    a: int
    b: int


class Script(NamedTuple):
    """``calm`` holds the wire's misbehaviours that are switched off, as (step id, number of the report in it)."""

    world: World
    steps: tuple[Step, ...]
    calm: frozenset[tuple[int, int]] = frozenset()
