"""Random lives of one order: what we asked and what a venue might say of it, sensible or not, in the venue's order.

Every report the adapters can make may come at any point: the core must give one answer for a set of reports whether
or not the venue keeps the rules. Identities are made as adapters make them, so that duplicates and resends are real.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from random import Random

from orders.domain.report import Position, Report
from orders.domain.state import RequestFact
from tests.unit.orders.builders import DAY, report

EPOCHS = ("2026-01-05.1", "2026-01-05.2", "2026-01-06.1")
PRICES = ("10", "10.01", "9.99000001", "0.3333")
QUANTITIES = ("1", "7", "100", "333.33333333", "0.00000001")


@dataclass(frozen=True)
class Life:
    """One order: its requests in the order they were sent, its reports as placed by the venue."""

    requests: tuple[RequestFact, ...]
    reports: tuple[Report, ...]


class _Venue:
    """Says whatever it likes, but numbers what it says."""

    def __init__(self, dice: Random, names: list[str]) -> None:
        self.dice = dice
        self.names = names
        self.epoch = 0
        self.seq = 0
        self.exec_ids: list[str] = []
        self.said: list[Report] = []

    def speak(self) -> None:
        if self.dice.random() < 0.05 and self.epoch + 1 < len(EPOCHS):
            self.epoch, self.seq = self.epoch + 1, 0
        self.seq += 1
        if self.said and self.dice.random() < 0.08:
            self._repeat()
            return
        kind = self.dice.choice("FFFFFFF00AEE5566443BD7C9HHGGILRR8")
        exec_id = f"E{self.dice.randint(1, 40)}" if self.dice.random() < 0.1 else f"U{len(self.said)}"
        made = report(
            self.seq,
            kind,
            self.dice.choice("0123467896E4BCAD"),
            cl=self.dice.choice([*self.names, None]),
            orig=self.dice.choice([None, None, *self.names, "FOREIGN"]) if kind in "56E4R" else None,
            qty=self.dice.choice(QUANTITIES) if kind in "FG7" else 0,
            px=self.dice.choice(PRICES),
            exec_id=exec_id,
            ref=self.dice.choice([*self.exec_ids[-6:], "LATER", exec_id]) if kind in "HG" else "",
            order_qty=self.dice.choice([None, 500, 1000, 1500]),
            cum=self.dice.choice([None, 100, 200]),
            leaves=self.dice.choice([None, 0, 900]),
            reason=self.dice.choice(["", "0", "1", "6"]),
            day=DAY + timedelta(days=self.epoch),
            epoch=EPOCHS[self.epoch],
            identity="|".join((EPOCHS[self.epoch], "V-X", str(self.seq) if kind == "I" else exec_id, kind)),
        )
        if kind == "F":
            self.exec_ids.append(exec_id)
        self.said.append(made)

    def _repeat(self) -> None:
        """Tell something again, flagged, under a number of now."""
        old = self.dice.choice(self.said)
        epoch = EPOCHS[self.epoch]
        if old.identity.split("|")[3:] == ["I"]:
            identity = "|".join((epoch, "V-X", str(self.seq), "I"))
        else:
            identity = "|".join((epoch, *old.identity.split("|")[1:]))
        self.said.append(replace(old, position=Position(epoch, self.seq), identity=identity, poss_resend=True))


def life(seed: int, length: int) -> Life:
    """A life from a seed: at most four requests and ``length`` reports."""
    dice = Random(seed)
    requests = []
    if dice.random() < 0.9:
        tif = dice.choice("0013")
        requests.append(RequestFact("new", "X", None, Decimal(1000), Decimal(10), None, tif))
        for place, name in enumerate("YZW"[: dice.randint(0, 3)]):
            orig = "XYZ"[place]
            if dice.random() < 0.6:
                qty = dice.choice([None, Decimal(500), Decimal(1500)])
                requests.append(RequestFact("replace", name, orig, qty, Decimal(11), None, None))
            else:
                requests.append(RequestFact("cancel", name, orig))
    venue = _Venue(dice, [r.cl_ord_id for r in requests] or ["B"])
    for _ in range(length):
        venue.speak()
    return Life(tuple(requests), tuple(venue.said))
