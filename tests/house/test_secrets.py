"""Secrets come from files or a command, fail closed, and are told to nobody: not in a sentence, a log or a ``repr``."""

from __future__ import annotations

import logging
import os
import sys
from pathlib import Path

import pytest

from oms_project.house import environment
from oms_project.house.failures import CannotRun
from oms_project.house.paths import ROOT, House
from oms_project.logs import JsonFormatter
from oms_project.secret_store import MOST_BYTES, Secret, SecretUnavailable, read_secret
from tests.architecture.test_security_headers import settings_say

PLANTED = "planted-5c0ffee-secret"
CLOSED, READABLE, CHANGEABLE = 0o600, 0o644, 0o620


def put(path: Path, content: bytes = PLANTED.encode(), mode: int = CLOSED) -> Path:
    path.write_bytes(content)
    path.chmod(mode)
    return path


def command(path: Path, body: str) -> str:
    path.write_text(f"import sys, time\nname = sys.argv[1]\n{body}\n")
    return f"{sys.executable} {path}"


def test_each_source_gives_the_secret_without_its_line_end(tmp_path: Path) -> None:
    one = put(tmp_path / "one", f"{PLANTED}\n".encode())
    put(tmp_path / "secret_key", f"  {PLANTED}\n".encode(), READABLE)
    manager = command(tmp_path / "manager.py", f"print({PLANTED!r} if name == 'secret_key' else '')")
    assert read_secret("secret_key", {"OMS_SECRET_KEY_FILE": str(one)}) == PLANTED
    assert read_secret("secret_key", {"OMS_SECRETS_DIR": str(tmp_path)}) == PLANTED
    assert read_secret("secret_key", {"OMS_SECRETS_COMMAND": manager}) == PLANTED


def test_passwords_may_be_absent_and_the_named_file_wins(tmp_path: Path) -> None:
    manager = command(tmp_path / "manager.py", "pass")
    assert read_secret("database_password", {}) is None
    assert read_secret("database_password", {"OMS_SECRETS_DIR": str(tmp_path)}) is None
    assert read_secret("database_password", {"OMS_SECRETS_COMMAND": manager}) is None
    put(tmp_path / "database_password", b"of the directory")
    one = put(tmp_path / "one")
    both = {"OMS_SECRETS_DIR": str(tmp_path), "OMS_DATABASE_PASSWORD_FILE": str(one)}
    assert read_secret("database_password", both) == PLANTED


FILES = [
    (b"", CLOSED, "is empty"),
    (b" \n", CLOSED, "is empty"),
    (b"\xff\xfe", CLOSED, "not UTF-8"),
    (b"a\0b", CLOSED, "not a text"),
    (b"x" * (MOST_BYTES + 1), CLOSED, "too long"),
    (PLANTED.encode(), READABLE, "everybody can read"),
    (PLANTED.encode(), CHANGEABLE, "others could change"),
]


@pytest.mark.parametrize(("content", "mode", "words"), FILES, ids=[words for *_, words in FILES[:-1]] + ["changeable"])
def test_a_file_that_is_wrong_or_open_to_others_stops_the_start(
    tmp_path: Path, content: bytes, mode: int, words: str
) -> None:
    path = put(tmp_path / "one", content, mode)
    with pytest.raises(SecretUnavailable, match=words) as stopped:
        read_secret("secret_key", {"OMS_SECRET_KEY_FILE": str(path)})
    assert PLANTED not in str(stopped.value)


def test_a_named_source_never_falls_through_to_the_next(tmp_path: Path) -> None:
    put(tmp_path / "secret_key")
    elsewhere = {"OMS_SECRETS_DIR": str(tmp_path), "OMS_SECRET_KEY_FILE": str(tmp_path / "absent")}
    with pytest.raises(SecretUnavailable, match="cannot be read"):
        read_secret("secret_key", elsewhere)
    manager = command(tmp_path / "manager.py", f"print({PLANTED!r})")
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(SecretUnavailable, match="holds no file secret_key"):
        read_secret("secret_key", {"OMS_SECRETS_DIR": str(empty), "OMS_SECRETS_COMMAND": manager})


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (f"print({PLANTED!r}); print({PLANTED!r}, file=sys.stderr); sys.exit(3)", "ended with 3"),
        ("time.sleep(5)", "within 0.2 seconds"),
        ("pass", "is empty"),
    ],
)
def test_a_command_that_fails_stops_the_start_and_is_not_quoted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, body: str, words: str
) -> None:
    if "sleep" in body:
        monkeypatch.setattr("oms_project.secret_store.COMMAND_SECONDS", 0.2)
    with pytest.raises(SecretUnavailable, match=words) as stopped:
        read_secret("secret_key", {"OMS_SECRETS_COMMAND": command(tmp_path / "manager.py", body)})
    assert PLANTED not in str(stopped.value)
    assert stopped.value.__cause__ is None


def test_a_command_that_is_not_there_is_one_sentence() -> None:
    with pytest.raises(SecretUnavailable, match="cannot be run"):
        read_secret("secret_key", {"OMS_SECRETS_COMMAND": "/no/such/manager get"})
    with pytest.raises(SecretUnavailable, match="cannot be run"):
        read_secret("secret_key", {"OMS_SECRETS_COMMAND": "'unclosed"})


def test_a_secret_is_not_in_what_is_printed_or_logged_of_a_structure() -> None:
    secret = Secret(PLANTED)
    assert PLANTED not in repr({"PASSWORD": secret})
    record = logging.LogRecord("oms", logging.INFO, "x.py", 1, "settings %r", ({"PASSWORD": secret},), None)
    assert PLANTED not in JsonFormatter().format(record)
    assert f"{secret}" == PLANTED


def test_settings_tell_no_secret(tmp_path: Path) -> None:
    put(tmp_path / "secret_key")
    put(tmp_path / "database_password", b"planted-database")
    put(tmp_path / "redis_password", b"planted-redis")
    shown = (
        "from django.conf import settings as s; print(repr(s.DATABASES), repr(s.REDIS_URL), repr(s.SECRET_KEY)); "
        "print(s.DATABASES['default']['PASSWORD'] == 'planted-database', 'planted-redis@' in s.CELERY_BROKER_URL)"
    )
    given = {
        "OMS_SECRETS_DIR": str(tmp_path),
        "OMS_DATABASE_URL": "postgresql://oms@db/oms",
        "OMS_REDIS_URL": "redis://cache:6379/0",
    }
    result = settings_say("shell", "-v", "0", "-c", shown, **given)
    hidden, used = result.stdout.splitlines()
    assert "planted" not in hidden + result.stderr
    assert used == "True True"


def test_settings_stop_on_a_secret_that_cannot_be_had(tmp_path: Path) -> None:
    path = put(tmp_path / "one", PLANTED.encode(), READABLE)
    result = settings_say("check", OMS_SECRET_KEY_FILE=str(path))
    assert result.returncode != 0
    assert "everybody can read" in result.stderr
    assert PLANTED not in result.stderr


def test_the_house_takes_its_key_from_a_directory_and_hands_no_file_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OMS_SECRET_KEY_FILE", raising=False)
    monkeypatch.setenv("OMS_SECRETS_DIR", str(tmp_path))
    house = House(root=ROOT, var=tmp_path / "var")
    with pytest.raises(CannotRun, match="holds no file secret_key"):
        environment.common(house, environment.LIVE)
    put(tmp_path / "secret_key")
    assert "OMS_SECRET_KEY_FILE" not in environment.common(house, environment.LIVE)
    assert PLANTED not in repr(environment.common(house, environment.LIVE))


def test_live_takes_no_password_from_a_variable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMS_DATABASE_URL", "postgresql://oms:in-a-variable@db:5432/oms")
    assert environment.database_url(environment.DEMO) == os.environ["OMS_DATABASE_URL"]
    with pytest.raises(CannotRun, match="files only") as stopped:
        environment.database_url(environment.LIVE)
    assert "in-a-variable" not in str(stopped.value)
    monkeypatch.setenv("OMS_DATABASE_URL", "postgresql://oms@db:5432/oms?sslmode=verify-full")
    monkeypatch.setenv("OMS_DATABASE_PASSWORD_FILE", str(put(tmp_path / "one", b"p@ss/word")))
    assert (
        environment.database_url(environment.LIVE) == "postgresql://oms:p%40ss%2Fword@db:5432/oms?sslmode=verify-full"
    )
    monkeypatch.delenv("OMS_DATABASE_URL")
    assert environment.database_url(environment.LIVE) is None
