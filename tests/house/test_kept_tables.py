"""What is kept of a run's tables is taken only where the same things would make it, and whole or not at all."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest

from oms_project.house import kept_tables
from oms_project.house.kept_tables import MOST_KEPT, Made, digest, fetch, keep, sources
from oms_project.house.paths import ROOT


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path / f"oms-tables-{os.getuid()}"


def cluster(path: Path, text: str = "18") -> Path:
    (path / "base").mkdir(parents=True)
    (path / "base" / "PG_VERSION").write_text(text)
    path.chmod(0o700)
    return path


def test_a_copy_is_taken_as_it_was_kept_and_none_where_none_is(place: Path, tmp_path: Path) -> None:
    assert not fetch(Made.TABLES, tmp_path / "one")
    assert not (tmp_path / "one").exists()
    keep(Made.TABLES, cluster(tmp_path / "made"))
    keep(Made.TABLES, cluster(tmp_path / "again", "another run was first"))
    assert not fetch(Made.READY, tmp_path / "one")  # with grants is another matter
    assert fetch(Made.TABLES, tmp_path / "one")
    assert (tmp_path / "one" / "base" / "PG_VERSION").read_text() == "18"
    assert (tmp_path / "one").stat().st_mode & 0o777 == 0o700  # the server insists
    assert [one.name for one in place.iterdir()] == [f"tables-{digest()}"]


def test_another_migration_or_what_it_imports_is_another_digest(
    place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "root"
    for name, text in {
        "orders/migrations/0001_initial.py": "from django.db import migrations\nfrom orders.domain import (\n    moves as pairs,\n)\n",
        "orders/domain/__init__.py": "",
        "orders/domain/moves.py": "import kernel.words\n",
        "orders/domain/other.py": "",
        "kernel/words.py": "from importlib import import_module\n\nfound = import_module('kernel.deeper')\n",
        "kernel/deeper.py": "",
        **{f"oms_project/{name}.py": "" for name in kept_tables.MAKERS},
    }.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    monkeypatch.setattr(kept_tables, "ROOT", root)
    assert {path.relative_to(root).as_posix() for path in sources() if "oms_project" not in path.parts} == {
        "orders/migrations/0001_initial.py", "orders/domain/__init__.py", "orders/domain/moves.py", "kernel/words.py",
        "kernel/deeper.py",
    }  # fmt: skip
    seen = {digest()}
    for changed in (
        "orders/migrations/0001_initial.py",
        "orders/domain/moves.py",
        "kernel/deeper.py",
        "oms_project/settings.py",
    ):
        with (root / changed).open("a") as file:
            file.write("# more\n")
        assert digest() not in seen
        seen.add(digest())
    (root / "orders" / "migrations" / "0002_more.py").touch()
    assert digest() not in seen
    seen.add(digest())
    (root / "orders" / "domain" / "other.py").write_text("# nothing of it is in a table\n")
    assert digest() in seen


def test_what_migrations_import_of_ours_is_found() -> None:
    found = {path.relative_to(ROOT).as_posix() for path in sources()}
    assert {"journal/triggers.py", "authorisation/domain/toxic.py", "authorisation/guards.py"} <= found


def test_only_so_many_are_kept_and_nothing_of_another_user_is_taken(
    place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = cluster(tmp_path / "made")
    for number in range(MOST_KEPT + 2):
        monkeypatch.setattr(kept_tables, "digest", lambda number=number: f"{number:02d}")
        keep(Made.TABLES, made)
        os.utime(place / f"tables-{number:02d}", (number, number))
    keep(Made.READY, made)
    assert len(list(place.iterdir())) == MOST_KEPT
    assert not (place / "tables-00").exists()
    assert fetch(Made.READY, tmp_path / "ours")
    owner = os.getuid()
    monkeypatch.setattr(os, "getuid", lambda: owner + 1)
    place.rename(place.with_name(f"oms-tables-{owner + 1}"))  # their name is ours, they are not
    keep(Made.TABLES, made)
    assert not fetch(Made.READY, tmp_path / "theirs")
    assert len(list(place.with_name(f"oms-tables-{owner + 1}").iterdir())) == MOST_KEPT
