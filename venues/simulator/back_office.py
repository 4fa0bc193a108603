"""The back office at work: what it heard and says goes to a ledger first, then to the line, each when it is due.

``post_trade.jsonl`` beside the truth has a line for each message: ``at``, ``way`` (in, out), ``about`` (AllocID), ``counter``,
``message`` as ``kernel.post_trade`` has it. Nothing is said before its line is written, so a venue that was killed knows what it
said; what it was about to say it has forgotten, as a broker may: the member asks. Used by the matching thread only.
"""

from __future__ import annotations

import heapq
import logging
import os
from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Protocol

import orjson

from kernel.post_trade import PostTradeMessage, from_json, to_json
from venues.domain.fix_codec import Fields, parse
from venues.domain.post_trade import write
from venues.domain.post_trade_codes import KINDS
from venues.domain.post_trade_fate import POSS_RESEND
from venues.domain.post_trade_reading import read
from venues.simulator.broker import Broker, Said
from venues.simulator.commands import Unusable
from venues.simulator.floor import TradingFloor
from venues.simulator.misbehaviour import Script
from venues.simulator.post_misbehaviour import PostTradeRule
from venues.simulator.wire import OTHER, read_fields, unusable

log = logging.getLogger("venues.simulator")

NAME = "post_trade.jsonl"
LONGEST = 16 * 1024 * 1024
SETTLES_AFTER = timedelta(days=2)  # what a client says when the script does not


class GroupLine(Protocol):
    """Where messages with groups go out."""

    def send_fields(self, session: str, fields: Fields) -> None:
        """Send, or keep for a member who is not there."""


class BackOffice:
    """One venue's. ``begin_string`` is that of its session: 4.2 has no reports and confirmations, they are left unsaid."""

    def __init__(
        self, floor: TradingFloor, *, directory: Path, line: GroupLine, script: Script, begin_string: str
    ) -> None:
        self._floor = floor
        self._line = line
        self._script = script
        self._begin_string = begin_string
        self.broker = Broker(floor, refuses=script.post_trade.refuses)
        self._later: list[tuple[float, int, Said]] = []
        self._number = 0
        path = directory / NAME
        if path.exists() and path.stat().st_size > LONGEST:
            path.rename(path.with_suffix(".old"))
        for line_ in read_ledger(path):
            self._restore(line_)
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def takes(self, raw: str) -> bool:
        """Whether a message is about what comes after the trade."""
        return read_fields(raw).get("msg_type", "") in KINDS

    def hear(self, session: str, raw: str, *, clock: float, at: datetime) -> Unusable | None:
        """Take in a member's message; an ``Unusable`` when it cannot be read."""
        try:
            fields = parse(raw)
            message = read(fields, counterparty=session)
        except (ValueError, ArithmeticError) as error:
            return unusable(session, read_fields(raw), OTHER, str(error))
        self._keep("in", message, about=message.ref, at=at)
        again = POSS_RESEND in fields
        self._say(self.broker.hear(message, at=at, again=again), clock=clock, at=at)
        return None

    def amended(self, order_id: str, clock: float, at: datetime) -> None:
        """An execution of an order was busted or corrected."""
        self._say(self.broker.amended(order_id, at=at), clock=clock, at=at)

    def run_due(self, *, clock: float, at: datetime) -> None:
        """Say what was to wait until now."""
        while self._later and self._later[0][0] <= clock:
            self._send(heapq.heappop(self._later)[2], at=at)

    def follow_clients(self, rule: PostTradeRule, *, clock: float, at: datetime) -> bool:
        """A client allocates an order it gave us; False when the venue has no such order."""
        order = next((one for one in self._floor.orders.values() if rule.cl_ord_id in one.lineage), None)
        if order is None:
            return False
        shares = [(account, Decimal(share)) for account, share in rule.accounts.items()]
        settles = rule.settlement_date or (at + SETTLES_AFTER).date()
        self._say([self.broker.allocate(order, shares, settlement_date=settles, at=at)], clock=clock, at=at)
        return True

    def close(self) -> None:
        """Let go of the ledger."""
        os.close(self._file)

    def _say(self, said: list[Said], *, clock: float, at: datetime) -> None:
        for one in (bent for plain in said for bent in self._script.post_trade.bend(plain)):
            self._number += 1
            heapq.heappush(self._later, (clock + one.after, self._number, one))
        self.run_due(clock=clock, at=at)

    def _send(self, said: Said, *, at: datetime) -> None:
        if self.broker.is_stale(said):
            return
        try:
            fields = write(said.message, begin_string=self._begin_string)
        except ValueError as error:
            log.warning("%s %s is left unsaid: %s", said.message.kind.value, said.message.ref, error)
            return
        self.broker.note(said.message, about=said.about)
        self._keep("out", said.message, about=said.about, at=at)
        self._line.send_fields(said.message.counterparty, fields)

    def _keep(self, way: str, message: PostTradeMessage, *, about: str, at: datetime) -> None:
        row = {
            "at": at.isoformat(),
            "way": way,
            "about": about,
            "counter": self.broker.counter,
            "message": to_json(message),
        }
        data = orjson.dumps(row) + b"\n"
        while data:
            data = data[os.write(self._file, data) :]

    def _restore(self, row: dict[str, Any]) -> None:
        message = from_json(row["message"])
        self.broker.counter = max(self.broker.counter, row["counter"])
        if row["way"] == "in":
            self.broker.heard(message)
        else:
            self.broker.note(message, about=row["about"])


def read_ledger(path: Path) -> Iterator[dict[str, Any]]:
    """Lines of a ledger, oldest first; the first incomplete one ends it."""
    if not path.exists():
        return
    for raw in path.read_bytes().split(b"\n"):
        try:
            yield orjson.loads(raw)
        except orjson.JSONDecodeError:
            return
