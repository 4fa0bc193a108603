"""How the whole suite is spread: whole files at a time, two units of several files first, then what takes long.

A journey drives a house and a browser of its own and fills a core; two of them at once make each other late. So one worker begins with
them, another with what starts and kills whole houses, and the third with everything else. A long file at the end would leave the other
workers with nothing to do.
"""

from __future__ import annotations

from typing import Any

import pytest
from xdist.scheduler import LoadFileScheduling

UNITS = ("tests/journeys/", "tests/house/")
LONG = (
    "tests/architecture/test_access.py",
    "tests/integration/orders/test_api_contract.py",
    "tests/integration/faults/test_line_faults.py",
    "tests/concurrency/test_gateway_crashes.py",
    "tests/integration/venues/test_scenarios_in_tables.py",
    "tests/integration/venues/test_gateway.py",
    "tests/concurrency/test_gateway_failover.py",
)
FIRST = {name: place for place, name in enumerate(UNITS + LONG)}


class Spread(LoadFileScheduling):  # type: ignore[misc]  # xdist is not typed
    """Files, but each unit as one."""

    def _split_scope(self, nodeid: str) -> str:
        return scope_of(nodeid)


def scope_of(nodeid: str) -> str:
    """The unit of a test, else its file."""
    return next((unit for unit in UNITS if nodeid.startswith(unit)), nodeid.split("::", 1)[0])


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Spread:
    return Spread(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: FIRST.get(scope_of(item.nodeid), len(FIRST)))
