"""The same two desks at work as the access matrix asks about."""

from __future__ import annotations

from tests.architecture.conftest import doors, shared_doors

__all__ = ["doors", "shared_doors"]
