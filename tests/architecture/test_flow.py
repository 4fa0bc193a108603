"""Every event somebody listens to has a listener that exists, and every listener is listed."""

from __future__ import annotations

import importlib
import inspect
from pathlib import Path

from oms_project.flow import LISTENERS, SWEEPERS
from oms_project.relay import service
from tests.architecture.house import ROOMS_WITH_TABLES, ROOT


def test_every_listener_is_on_the_flow() -> None:
    on_shelves = {
        f"{room}.services.{path.stem}"
        for room in ROOMS_WITH_TABLES
        for path in Path(ROOT / room / "services").glob("on_*.py")
    }
    assert on_shelves == {listener.module for listener in LISTENERS}


def test_every_listener_handles() -> None:
    for listener in LISTENERS:
        assert callable(importlib.import_module(listener.module).handle), listener.module
        assert listener.kinds, listener.module


def test_every_sweeper_is_a_service_that_needs_the_time_alone() -> None:
    for sweeper in SWEEPERS:
        needed = [
            name
            for name, parameter in inspect.signature(service(sweeper.module)).parameters.items()
            if parameter.default is inspect.Parameter.empty
        ]
        assert needed == ["at"], sweeper.module
