"""``./oms scenarios FILE.json``: every path of the file through the pure core, compared row by row.

Prints ``ok <id> <label>`` or ``FAIL <id> <label>`` with its differences, and a count at the end. Needs neither Django
nor a database; ``venues.scenario_database`` runs the same files through wire messages and tables.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from kernel.fix import ExecTransType, ExecType, OrdStatus
from kernel.numbers import ZERO
from orders.domain.derive import derive
from orders.domain.facts import NO_FACTS, OrderFacts
from orders.domain.fold import fold, request_sent
from orders.domain.report import Position, Report
from orders.domain.state import RequestFact
from orders.scenario_file import BadScenario, Scenario, Step, read_scenarios
from orders.scenario_play import House, Seen, play

FIRST_DAY = date(2026, 1, 5)  # a Monday; the day only matters by its order
DEFAULT_PX = 100
HOLDS, FINDING, BAD_INPUT = 0, 1, 2
REASON_NAMES = {"corporate action": "0", "renewal": "1", "verbal": "2", "partial decline": "5", "not best": "9"}


class PureHouse:
    """The pure core as a house: one ``OrderFacts`` an order, nothing else."""

    def __init__(self, phoned: bool, sent: frozenset[str]) -> None:
        self._orders: dict[str, OrderFacts] = {"": NO_FACTS} if phoned else {}
        self._sent = sent

    def send(self, step: Step, place: int) -> None:
        """NEW makes the order; a replace or cancel of an order we do not have is refused by our own doors."""
        if step.msg == "H" or (step.msg in "GF" and step.order not in self._orders):
            return
        facts = self._orders.get(step.order, NO_FACTS)
        self._orders[step.order] = request_sent(facts, request_of(step))

    def receive(self, step: Step, place: int) -> None:
        """Fold the row's report into its order; a report about an order that is not ours makes none."""
        if step.order and step.order not in self._sent:
            return
        facts = self._orders.get(step.order, NO_FACTS)
        self._orders[step.order] = fold(facts, report_of(step, place)).facts

    def look(self, order: str, day: int) -> Seen | None:
        """The derived state on that trading day."""
        if order not in self._orders:
            return None
        derived = derive(self._orders[order], business_date=FIRST_DAY + timedelta(days=day - 1))
        return Seen(derived.ord_status, derived.order_qty, derived.cum_qty, derived.leaves_qty, derived.cl_ord_id)


def request_of(step: Step) -> RequestFact:
    """What we send on this row."""
    kind = {"D": "new", "G": "replace", "F": "cancel"}[step.msg]
    time_in_force = step.text.get("tif")
    if kind == "new" and time_in_force is None:
        time_in_force = "0"
    return RequestFact(
        kind=kind,
        cl_ord_id=step.text["clordid"],
        orig_cl_ord_id=step.text.get("origclordid"),
        order_qty=step.number.get("orderqty"),
        price=step.number.get("price"),
        time_in_force=time_in_force,
    )


def report_of(step: Step, place: int) -> Report:
    """What the venue says on this row, with what the row leaves out supplied as the format's page says."""
    moment = datetime.combine(FIRST_DAY, datetime.min.time(), UTC) + timedelta(
        days=step.day - 1, hours=9, seconds=place
    )
    exec_type = _exec_type(step)
    exec_id = step.text.get("execid", str(step.seq)) if step.msg == "8" else ""
    cum_qty = None if step.is_anomaly else step.number.get("cumqty")
    last_px = step.number.get("lastpx", step.number.get("price"))
    return Report(
        msg_type=step.msg,
        position=Position("1", place),
        identity="|".join(
            (step.msg, exec_id or str(step.seq), exec_type or "", "" if cum_qty is None else str(cum_qty))
        ),
        received_at=moment,
        event_at=moment,
        trade_date=moment.date(),
        exec_type=exec_type,
        ord_status=OrdStatus(step.text["ordstatus"]) if "ordstatus" in step.text else None,
        cl_ord_id=step.text.get("clordid"),
        orig_cl_ord_id=step.text.get("origclordid"),
        venue_order_id=step.text.get("orderid", f"V-{step.order}"),
        exec_id=exec_id,
        exec_ref_id=step.text.get("execref", ""),
        order_qty=step.number.get("orderqty"),
        price=step.number.get("price"),
        last_qty=step.number.get("lastqty", ZERO),
        last_px=last_px if last_px is not None else ZERO + DEFAULT_PX,
        cum_qty=cum_qty,
        leaves_qty=None if step.is_anomaly else step.number.get("leavesqty"),
        restatement_reason=reason_code(step, "ExecRestatementReason"),
        reject_code=reason_code(step, "OrdRejReason") or reason_code(step, "CxlRejReason"),
        text=step.text.get("note", ""),
        poss_resend=step.text.get("possresend") == "Y",
    )


def _exec_type(step: Step) -> ExecType | None:
    """The 4.4 word for it: 4.2 says trade, bust, correction and status by ExecTransType."""
    if step.msg != "8":
        return None
    kind = ExecType(step.text["exectype"])
    trans = step.text.get("exectranstype", ExecTransType.NEW)
    if trans == ExecTransType.CANCEL:
        return ExecType.TRADE_CANCEL
    if trans == ExecTransType.CORRECT:
        return ExecType.TRADE_CORRECT
    if trans == ExecTransType.STATUS:
        return ExecType.ORDER_STATUS
    return ExecType.TRADE if kind in (ExecType.PARTIAL_FILL, ExecType.FILL) else kind


def reason_code(step: Step, field: str) -> str:
    """The code of ``field=code`` in the row's reason; the file also writes some reasons in words."""
    name, _, value = step.text.get("reason", "").partition("=")
    if name != field:
        return ""
    for words, code in REASON_NAMES.items():
        if words in value.lower():
            return code
    return value


def pure_house(scenario: Scenario, path_steps: Sequence[Step]) -> House:
    """An empty house for one path."""
    phoned = any(step.direction == "in" and not step.order for step in path_steps)
    return PureHouse(phoned, frozenset(step.order for step in path_steps if step.msg == "D"))


def run_file(name: str, make_house: Callable[[Scenario, Sequence[Step]], House]) -> int:
    """Play every path of the file, print one line a path and a count; 0 all passed, 1 some failed, 2 unreadable."""
    try:
        scenarios = read_scenarios(Path(name))
    except BadScenario as error:
        print(error, file=sys.stderr)  # noqa: T201 - a command's own output
        return BAD_INPUT
    passed = failed = 0
    lines: list[str] = []
    for scenario in scenarios:
        for path in scenario.paths:
            differences = play(path, make_house(scenario, path.steps), spec_version=scenario.spec_version)
            passed, failed = (passed, failed + 1) if differences else (passed + 1, failed)
            lines.append(f"{'FAIL' if differences else 'ok'} {scenario.id} {path.label}")
            lines.extend(str(difference) for difference in differences)
    lines.append(f"{passed} passed, {failed} failed")
    sys.stdout.write("\n".join(lines) + "\n")
    return FINDING if failed else HOLDS


def main(argv: Sequence[str]) -> int:
    """``main(["FILE.json"])``; anything but one file name is bad input."""
    if len(argv) != 1 or argv[0].startswith("-"):
        sys.stderr.write("usage: ./oms scenarios FILE.json [--database]\n")
        return BAD_INPUT
    return run_file(argv[0], pure_house)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
