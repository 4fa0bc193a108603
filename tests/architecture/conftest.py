"""Two desks at work, made once a module inside a transaction that leaves nothing behind."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.db import transaction
from django.test import override_settings

from orders.tasks import work_upload
from tests.factories.doors import Doors, add_neighbours, make_doors


@pytest.fixture(scope="module")
def shared_doors(
    django_db_setup: None, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Doors]:
    """Its rows live until the module ends; no upload reaches a worker, no flag reaches the state directory."""
    with (
        pytest.MonkeyPatch.context() as patch,
        override_settings(PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"]),  # tells who keeps a list
        django_db_blocker.unblock(),
        transaction.atomic(),
    ):
        patch.setattr(django_settings, "VAR_DIR", tmp_path_factory.mktemp("house"))
        patch.setattr(work_upload, "apply_async", lambda *given, **options: None)
        made = make_doors()
        add_neighbours(made)
        yield made
        transaction.set_rollback(True)


@pytest.fixture
def doors(shared_doors: Doors, db: None) -> Doors:
    """The shared doors; every call on them is undone."""
    return shared_doors
