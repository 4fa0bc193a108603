"""Scenario paths as requests and reports, for tests that shuffle, duplicate and replay them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from orders.domain.derive import Derived, derive
from orders.domain.facts import NO_FACTS, OrderFacts
from orders.domain.fold import fold, request_sent
from orders.domain.report import Report
from orders.domain.state import RequestFact
from orders.scenario_file import Scenario, ScenarioPath, read_scenarios
from orders.scenario_play import Delivery
from orders.scenario_runner import FIRST_DAY, report_of, request_of

SCRIPTS = Path(__file__).resolve().parents[2] / "venue_scripts"
FILES = tuple(
    SCRIPTS / f"{name}.json" for name in ("order_state_scenarios", "more_order_states", "specification_matrices")
)
LAST_DAY = FIRST_DAY + timedelta(days=2)


@dataclass(frozen=True)
class OrderPath:
    """One order of one path: what we sent and what the venue said, in its order."""

    name: str
    requests: tuple[RequestFact, ...]
    reports: tuple[Report, ...]


def all_scenarios() -> list[Scenario]:
    return [scenario for file in FILES for scenario in read_scenarios(file)]


def order_paths() -> list[OrderPath]:
    """Every path of the files, one entry for each order in it that is ours."""
    found = []
    for scenario in all_scenarios():
        for path in scenario.paths:
            for order in sorted({step.order for step in path.steps if step.direction == "in"}):
                if order in path.sent_orders or not order:
                    found.append(_order_path(scenario, path, order))
    return found


def _order_path(scenario: Scenario, path: ScenarioPath, order: str) -> OrderPath:
    mine = [(place, step) for place, step in enumerate(path.steps, start=1) if step.order == order]
    return OrderPath(
        name=f"{scenario.id} {path.label} {order}",
        requests=tuple(request_of(step) for _, step in mine if step.direction == "out" and step.msg != "H"),
        reports=tuple(report_of(Delivery(step, place)) for place, step in mine if step.direction == "in"),
    )


def facts_after(requests: tuple[RequestFact, ...], reports: tuple[Report, ...] | list[Report]) -> OrderFacts:
    """All requests, then the reports one by one in the given order."""
    facts = NO_FACTS
    for request in requests:
        facts = request_sent(facts, request)
    for report in reports:
        facts = fold(facts, report).facts
    return facts


def derived_after(path: OrderPath, on: date = LAST_DAY) -> Derived:
    return derive(facts_after(path.requests, path.reports), business_date=on)
