"""Scripted misbehaviour: reports doubled, delayed, swapped, lost or swallowed, and what the venue does unasked.

A script is a JSON file read again when it changes::

    {"rules": [{"id": "r1", "when": {"symbol": "VOD.L", "kind": "trade"}, "do": "duplicate", "times": 1}],
     "deeds": [{"id": "d1", "do": "bust", "cl_ord_id": "02611000001.1"}],
     "phases": {"XLON": "halted"},
     "house_out": ["VOD.L"],
     "post_trade": [{"id": "p1", "do": "wrong_fee", "by": "1.00"}]}

``rules`` fire on reports that match all of ``when``: ``kind`` (new, trade, canceled, replaced, rejected, expired,
cancel_reject, any), ``symbol``, ``session``, ``cl_ord_id_starts``, ``cl_ord_id_ends``, ``price_ends``,
``order_qty``. ``times`` is how often (1 unless said, 0 always), ``seconds`` how long it waits where waiting makes
sense. ``deeds`` are done once each, to the order named by ``cl_ord_id`` or ``order_id``. ``phases`` holds a market
or a listing in a phase until the entry is gone. ``house_out`` keeps the house's own traders out of listings.
``post_trade`` and ``post_trade_errors`` are in ``post_misbehaviour``.

Report deeds: duplicate (sent twice), delay, reorder (sent after the order's next report), drop (the line is cut
first; it comes when the member asks for it), silent (never sent). Venue deeds: bust and correct (the latest
execution; ``qty``, ``px``), over_fill (``qty`` on top), unsolicited_cancel, reject_after_new, late_fill (``qty``,
for canceled orders).
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

import orjson

from venues.simulator.model import Phase
from venues.simulator.post_misbehaviour import PostTradePlan, PostTradeScript, parse_post_trade
from venues.simulator.reports import Entry
from venues.simulator.units import parse_units

log = logging.getLogger("venues.simulator")

_KINDS = {"0": "new", "F": "trade", "4": "canceled", "5": "replaced", "8": "rejected", "C": "expired"}


class Do(StrEnum):
    """What a rule or deed does."""

    DUPLICATE = "duplicate"
    DELAY = "delay"
    REORDER = "reorder"
    DROP = "drop"
    SILENT = "silent"
    BUST = "bust"
    CORRECT = "correct"
    OVER_FILL = "over_fill"
    UNSOLICITED_CANCEL = "unsolicited_cancel"
    REJECT_AFTER_NEW = "reject_after_new"
    LATE_FILL = "late_fill"


REPORT_DEEDS = frozenset({Do.DUPLICATE, Do.DELAY, Do.REORDER, Do.DROP, Do.SILENT})


@dataclass(frozen=True, slots=True)
class Rule:
    """When what is done. ``qty`` and ``px`` in units of 1e-8, None where the deed chooses."""

    id: str
    do: Do
    when: Mapping[str, str]
    times: int = 1
    seconds: float = 0.0
    qty: int | None = None
    px: int | None = None

    def fits(self, entry: Entry) -> bool:
        """Whether a report matches all conditions."""
        return all(_holds(name, wanted, entry) for name, wanted in self.when.items())


@dataclass(frozen=True, slots=True)
class Plan:
    """A script as read."""

    rules: tuple[Rule, ...] = ()
    deeds: tuple[Rule, ...] = ()
    phases: Mapping[str, Phase] = field(default_factory=dict)
    house_out: tuple[str, ...] = ()
    post_trade: PostTradePlan = field(default_factory=PostTradePlan)


class Script:
    """The current plan and how often each rule has fired. ``path`` None is an empty plan that never changes."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._stamp: tuple[int, int] | None = None
        self._fired: dict[str, int] = {}
        self._done: set[str] = set()
        self.plan = Plan()
        self.post_trade = PostTradeScript()

    def reload(self) -> bool:
        """Read the file again when it changed. A file that cannot be read changes nothing and is logged once."""
        if self._path is None:
            return False
        try:
            found = self._path.stat()
        except OSError:
            gone, self._stamp, self.plan = self._stamp is not None, None, Plan()
            self.post_trade.plan = self.plan.post_trade
            return gone
        stamp = (found.st_mtime_ns, found.st_size)
        if stamp == self._stamp:
            return False
        self._stamp = stamp
        try:
            self.plan = parse_plan(orjson.loads(self._path.read_bytes()))
        except (OSError, ValueError, TypeError, KeyError, AttributeError, ArithmeticError) as error:
            log.error("The simulator's script cannot be read and is not followed: %s", error)
            return False
        self.post_trade.plan = self.plan.post_trade
        return True

    def judge(self, entry: Entry) -> Rule | None:
        """The first rule that matches a report and has not fired often enough; it counts as fired."""
        for rule in self.plan.rules:
            fired = self._fired.get(rule.id, 0)
            if entry.report and (rule.times == 0 or fired < rule.times) and rule.fits(entry):
                self._fired[rule.id] = fired + 1
                return rule
        return None

    def due_deeds(self) -> tuple[Rule, ...]:
        """Deeds not handed out before."""
        due = tuple(deed for deed in self.plan.deeds if deed.id not in self._done)
        self._done.update(deed.id for deed in due)
        return due


def parse_plan(data: Mapping[str, Any]) -> Plan:
    """A plan from JSON. Raises ValueError, TypeError, KeyError or AttributeError when it has another shape."""
    unknown = set(data) - {"rules", "deeds", "phases", "house_out", "post_trade", "post_trade_errors"}
    if unknown:
        raise ValueError(f"unknown keys {sorted(unknown)}")
    rules = tuple(_rule(row, dict(row.get("when", {}))) for row in data.get("rules", ()))
    wrong = [deed["id"] for deed in data.get("deeds", ()) if Do(deed["do"]) in REPORT_DEEDS]
    if wrong:
        raise ValueError(f"deeds {wrong} concern reports; write them as rules")
    deeds = tuple(
        _rule(row, {name: row[name] for name in ("cl_ord_id", "order_id") if name in row})
        for row in data.get("deeds", ())
    )
    phases = {str(name): Phase(value) for name, value in data.get("phases", {}).items()}
    house_out = tuple(map(str, data.get("house_out", ())))
    post_trade = parse_post_trade(data.get("post_trade", ()), data.get("post_trade_errors", {}))
    return Plan(rules=rules, deeds=deeds, phases=phases, house_out=house_out, post_trade=post_trade)


def _rule(row: Mapping[str, Any], when: Mapping[str, str]) -> Rule:
    for name in when:
        if name not in _CONDITIONS:
            raise ValueError(f"unknown condition {name}")
    return Rule(
        id=str(row["id"]),
        do=Do(row["do"]),
        when={name: str(value) for name, value in when.items()},
        times=int(row.get("times", 1)),
        seconds=float(row.get("seconds", 0)),
        qty=parse_units(str(row["qty"])) if "qty" in row else None,
        px=parse_units(str(row["px"])) if "px" in row else None,
    )


_CONDITIONS = frozenset(
    {
        "kind",
        "symbol",
        "session",
        "cl_ord_id",
        "order_id",
        "cl_ord_id_starts",
        "cl_ord_id_ends",
        "price_ends",
        "order_qty",
    }
)


def _holds(name: str, wanted: str, entry: Entry) -> bool:
    report = entry.report
    cl_ord_id = report.get("cl_ord_id", "")
    match name:
        case "kind":
            kind = "cancel_reject" if report["msg_type"] == "9" else _KINDS.get(report.get("exec_type", ""), "")
            return wanted in (kind, "any")
        case "symbol":
            return entry.order is not None and entry.order["symbol"] == wanted
        case "session":
            return entry.session == wanted
        case "cl_ord_id_starts":
            return cl_ord_id.startswith(wanted)
        case "cl_ord_id_ends":
            return cl_ord_id.endswith(wanted)
        case "price_ends":
            return report.get("price", "").endswith(wanted)
        case _:
            return report.get(name) == wanted
