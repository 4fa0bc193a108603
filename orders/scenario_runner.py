"""``./oms scenarios FILE.json``: every path of the file through the pure core, compared row by row.

``--twice`` delivers every message of the venue again: plain, as PossDup, and as PossResend under a new number.
``--shuffle SEED`` also plays each path in a seeded disorder and compares its end with that of the ordered run.
Prints ``ok <id> <label>`` or ``FAIL <id> <label>`` with its differences, and a count at the end. Needs neither Django
nor a database; ``venues.scenario_database`` runs the same files through wire messages and tables.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from kernel.fix import ExecTransType, ExecType, OrdStatus
from kernel.numbers import ZERO
from orders.domain.derive import derive
from orders.domain.facts import NO_FACTS, OrderFacts
from orders.domain.fold import fold_many, request_sent
from orders.domain.report import Position, Report
from orders.domain.state import RequestFact
from orders.scenario_disorder import MakeHouse, play_shuffled
from orders.scenario_file import BadScenario, Scenario, ScenarioPath, Step, read_scenarios
from orders.scenario_play import Copy, Delivery, Difference, End, House, Seen, play

EPOCH = "1"
FIRST_DAY = date(2026, 1, 5)  # a Monday; the day only matters by its order
DEFAULT_PX = 100
HOLDS, FINDING, BAD_INPUT = 0, 1, 2
USAGE = "usage: ./oms scenarios FILE.json [--database] [--twice] [--shuffle SEED]"
REASON_NAMES = {"corporate action": "0", "renewal": "1", "verbal": "2", "partial decline": "5", "not best": "9"}


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line asks for; ``shuffle`` is the seed."""

    file: Path
    twice: bool = False
    shuffle: int | None = None


def options_of(argv: Sequence[str]) -> Options | None:
    """None when the words are not exactly a file name and known options."""
    words, files, twice, seed = list(argv), [], False, None
    while words:
        word = words.pop(0)
        if word == "--twice":
            twice = True
        elif word == "--shuffle" and words and words[0].isdecimal():
            seed = int(words.pop(0))
        elif word.startswith("-"):
            return None
        else:
            files.append(word)
    return Options(Path(files[0]), twice, seed) if len(files) == 1 else None


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

    def receive(self, deliveries: Sequence[Delivery]) -> None:
        """Fold the rows' reports into their orders; a report about an order that is not ours makes none."""
        batches: dict[str, list[Report]] = {}
        for delivery in deliveries:
            order = delivery.step.order
            if not order or order in self._sent:
                batches.setdefault(order, []).append(report_of(delivery))
        for order, reports in batches.items():
            self._orders[order] = fold_many(self._orders.get(order, NO_FACTS), reports).facts

    def look(self, order: str, day: int) -> Seen | None:
        """The derived state on that trading day."""
        end = self.end(order, day)
        return end.seen if end is not None else None

    def end(self, order: str, day: int) -> End | None:
        """The same with average price and executions."""
        if order not in self._orders:
            return None
        facts = self._orders[order]
        derived = derive(facts, business_date=FIRST_DAY + timedelta(days=day - 1))
        return End(
            Seen(derived.ord_status, derived.order_qty, derived.cum_qty, derived.leaves_qty, derived.cl_ord_id),
            derived.avg_px,
            tuple((e.versions[0], e.qty, e.px) for e in facts.state.execs if e.qty),
        )


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


def report_of(delivery: Delivery) -> Report:
    """What the venue says on this row, with what the row leaves out supplied as the format's page says."""
    step, place = delivery.step, delivery.place
    moment = datetime.combine(FIRST_DAY, datetime.min.time(), UTC) + timedelta(
        days=step.day - 1, hours=9, seconds=place
    )
    exec_type = _exec_type(step)
    exec_id = step.text.get("execid", str(step.seq)) if step.msg == "8" else ""
    cum_qty = None if step.is_anomaly else step.number.get("cumqty")
    last_px = step.number.get("lastpx", step.number.get("price"))
    return Report(
        msg_type=step.msg,
        position=Position(EPOCH, delivery.msg_seq_num),
        identity=_identity(delivery, exec_id, exec_type, cum_qty),
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
        poss_resend=delivery.poss_resend,
        poss_dup=delivery.copy is Copy.POSS_DUP,
    )


def _identity(delivery: Delivery, exec_id: str, exec_type: ExecType | None, cum_qty: Decimal | None) -> str:
    """As the adapters make it; a status answer is an observation of its own, named by its number."""
    if exec_type is ExecType.ORDER_STATUS:
        return "|".join((EPOCH, exec_type, str(delivery.msg_seq_num)))
    name = exec_id or str(delivery.step.seq)
    said = "" if cum_qty is None else str(cum_qty)
    return "|".join((EPOCH, delivery.step.msg, name, exec_type or "", said))


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


def run_file(options: Options, make_house: MakeHouse) -> int:
    """Play every path of the file, print one line a path and a count; 0 all passed, 1 some failed, 2 unreadable."""
    try:
        scenarios = read_scenarios(options.file)
    except BadScenario as error:
        print(error, file=sys.stderr)  # noqa: T201 - a command's own output
        return BAD_INPUT
    passed = failed = 0
    lines: list[str] = []
    for scenario in scenarios:
        for path in scenario.paths:
            differences = _play(scenario, path, make_house, options)
            passed, failed = (passed, failed + 1) if differences else (passed + 1, failed)
            lines.append(f"{'FAIL' if differences else 'ok'} {scenario.id} {path.label}")
            lines.extend(str(difference) for difference in differences)
    lines.append(f"{passed} passed, {failed} failed")
    sys.stdout.write("\n".join(lines) + "\n")
    return FINDING if failed else HOLDS


def _play(scenario: Scenario, path: ScenarioPath, make_house: MakeHouse, options: Options) -> tuple[Difference, ...]:
    if options.shuffle is not None:
        return play_shuffled(scenario, path, make_house, seed=options.shuffle, twice=options.twice)
    house = make_house(scenario, path.steps)
    return play(path, house, spec_version=scenario.spec_version, twice=options.twice)


def main(argv: Sequence[str]) -> int:
    """``main(["FILE.json", "--twice"])``; anything but one file name and known options is bad input."""
    options = options_of(argv)
    if options is None:
        sys.stderr.write(f"{USAGE}\n")
        return BAD_INPUT
    return run_file(options, pure_house)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
