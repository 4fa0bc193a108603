"""The demo desk, seeded once a module inside a transaction; every test sees it fresh and leaves nothing behind."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.db import transaction
from django.test import override_settings

from oms_project.seed.run import seed_demo

HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


def quiet(_: str) -> None:
    return None


@pytest.fixture(scope="module")
def seeded_dir(
    django_db_setup: None, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Path]:
    """The state directory of one seed run; its rows live until the module ends."""
    directory = tmp_path_factory.mktemp("house")
    with (
        pytest.MonkeyPatch.context() as patch,
        override_settings(PASSWORD_HASHERS=HASHERS),  # tells who keeps a list of them
        django_db_blocker.unblock(),
        transaction.atomic(),
    ):
        patch.setattr(django_settings, "MODE", "demo")
        patch.setattr(django_settings, "VAR_DIR", directory)
        patch.setattr(django_settings, "FIX_PORT", 19878)
        seed_demo(quiet)
        yield directory
        transaction.set_rollback(True)


@pytest.fixture
def demo_settings(settings: Any, tmp_path: Path) -> Path:
    """Demo mode with a state directory of the test's own."""
    settings.MODE = "demo"
    settings.VAR_DIR = tmp_path
    settings.FIX_PORT = 19878
    settings.PASSWORD_HASHERS = HASHERS
    return tmp_path


@pytest.fixture
def demo(seeded_dir: Path, demo_settings: Path, db: None) -> Path:
    """The seeded desk; the state directory is the test's own copy."""
    shutil.copytree(seeded_dir, demo_settings, dirs_exist_ok=True)
    return demo_settings
