"""How the whole suite is spread: whole files at a time, and the journeys, which need a house and a browser each, on two workers first.

What drives a browser wants a core to itself, the rest mostly waits: so two workers begin with the journeys, half each, and the others
with everything else.
"""

from __future__ import annotations

from typing import Any

import pytest
from xdist.scheduler import LoadFileScheduling

JOURNEYS = "tests/journeys/"
SECOND_HALF = f"{JOURNEYS}test_m"
"""From this name on the journeys are the second half of them, by what they take."""


class Spread(LoadFileScheduling):  # type: ignore[misc]  # xdist is not typed
    """Files, but two units of journeys."""

    def _split_scope(self, nodeid: str) -> str:
        file: str = nodeid.split("::", 1)[0]
        if file.startswith(JOURNEYS):
            return f"{JOURNEYS}{'second' if file >= SECOND_HALF else 'first'}"
        return file


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Spread:
    return Spread(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: not item.nodeid.startswith(JOURNEYS))
