"""How the whole suite is spread: whole files at a time, and all journeys as one unit, first.

A journey drives a house and a browser of its own and fills a core; two of them at once make each other late. So one worker begins with
them, and the other with everything else, which mostly waits.
"""

from __future__ import annotations

from typing import Any

import pytest
from xdist.scheduler import LoadFileScheduling

JOURNEYS = "tests/journeys/"


class Spread(LoadFileScheduling):  # type: ignore[misc]  # xdist is not typed
    """Files, but one unit of journeys."""

    def _split_scope(self, nodeid: str) -> str:
        return JOURNEYS if nodeid.startswith(JOURNEYS) else nodeid.split("::", 1)[0]


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Spread:
    return Spread(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: not item.nodeid.startswith(JOURNEYS))
