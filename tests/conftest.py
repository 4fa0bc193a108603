"""What all tests share: emptying the database past its guards, and an order in which emptied tables harm nobody."""

from __future__ import annotations

import os
from importlib import import_module
from typing import Any

import pytest
from django.apps import apps
from django.db import connections, transaction
from django.test import TransactionTestCase

_FIRST_POLICIES = import_module("authorisation.migrations.0006_checker_guards").first_policies
_KEPT = ("django_migrations", "django_content_type", "auth_permission")  # the same in every house
_LARGE = 16 * 1024 * 1024
_TABLES = f"""
SELECT oid::regclass::text, pg_relation_size(oid) FROM pg_class
WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND relname NOT IN {_KEPT}
"""


def _empty_past_the_guards(self: Any) -> None:
    """Every table empty, triggers off for this one transaction; only the owner of a test database may do so.

    The locks wait for whoever still writes, as TRUNCATE would. What a test leaves is a few rows in a third of the tables:
    deleting them costs a tenth of giving every table and index new files, until what was deleted has grown large.
    """
    with transaction.atomic(), connections["default"].cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(_TABLES)
        cursor.execute(f"LOCK TABLE {', '.join(name for name, _ in cursor.fetchall())}")
        cursor.execute(_TABLES)
        sizes = dict(cursor.fetchall())
        if sum(sizes.values()) > _LARGE:
            cursor.execute(f"TRUNCATE {', '.join(sizes)}")
        else:
            cursor.execute(";".join(f"DELETE FROM {name}" for name, size in sizes.items() if size) or "SELECT")
    _FIRST_POLICIES(apps, None)  # a house without them lets nobody decide anything


TransactionTestCase._fixture_teardown = _empty_past_the_guards  # type: ignore[attr-defined]


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
