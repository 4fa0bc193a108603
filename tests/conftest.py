"""What all tests share: emptying the database past its guards, and an order in which emptied tables harm nobody."""

from __future__ import annotations

import os
from collections.abc import Iterable
from importlib import import_module
from typing import Any

import pytest
from django.apps import apps
from django.db import connections, transaction
from django.db.backends.postgresql.operations import DatabaseOperations

_FIRST_POLICIES = import_module("authorisation.migrations.0006_checker_guards").first_policies


def _flush_past_the_guards(self: Any, sql_list: Iterable[str]) -> None:
    """TRUNCATE with triggers off for this one transaction; only the owner of a test database may do so."""
    alias = self.connection.alias
    with transaction.atomic(using=alias), connections[alias].cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        for sql in sql_list:
            cursor.execute(sql)
    _FIRST_POLICIES(apps, None)  # a house without them lets nobody decide anything


DatabaseOperations.execute_sql_flush = _flush_past_the_guards  # type: ignore[method-assign]


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings: None) -> None:
    """The database of a worker is made of the one whose tables ``./oms test`` has at hand; then migrations find nothing to do."""
    if template := os.environ.get("TEST_TABLES"):
        connections["default"].settings_dict["TEST"]["TEMPLATE"] = template


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """In a worker, files that empty the database come last: what migrations wrote is gone behind them.

    A run of its own is ordered test by test already; workers are given whole files.
    """
    if hasattr(config, "workerinput"):
        emptying = {item.path for item in items if _empties(item)}
        items.sort(key=lambda item: item.path in emptying)


def _empties(item: pytest.Item) -> bool:
    marker = item.get_closest_marker("django_db")
    fixtures = getattr(item, "fixturenames", ())
    return bool(marker and marker.kwargs.get("transaction")) or "transactional_db" in fixtures
