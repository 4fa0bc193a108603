"""Django's own admin is not in the house: it writes past the services and their second person."""

from __future__ import annotations

from django.apps import apps

from tests.architecture.addresses import patterns_of_the_house


def test_the_stock_admin_is_absent() -> None:
    assert not apps.is_installed("django.contrib.admin")
    assert [pattern for pattern in patterns_of_the_house() if pattern.startswith("admin/") and "login" in pattern] == []
