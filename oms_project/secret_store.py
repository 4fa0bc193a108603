"""Where secrets come from: a file for each, a directory of files, or a command of a secrets manager. Never a default.

One secret has one source, the first of: the file that ``OMS_<NAME>_FILE`` names; the file of its name in
``OMS_SECRETS_DIR`` (where containers mount them, such as ``/run/secrets``); what ``OMS_SECRETS_COMMAND NAME`` prints. A
source that is named and cannot give the secret stops the start: nothing falls through to the next one. No sentence
here, and no ``repr``, holds a secret or what a command said.
"""

from __future__ import annotations

import os
import shlex
import stat
import subprocess
from collections.abc import Mapping
from pathlib import Path

KNOWN = {
    "secret_key": "signs sessions and forms",
    "database_password": "of the user in OMS_DATABASE_URL",
    "redis_password": "of the server at OMS_REDIS_URL",
}
COMMAND_SECONDS = 15
MOST_BYTES = 64 * 1024


class SecretUnavailable(Exception):
    """One sentence that says which secret cannot be had, why, and nothing of what it is."""


class Secret(str):
    """A text whose ``repr`` says nothing, so that a structure that holds it may be printed."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "'********'"


def read_secret(name: str, environment: Mapping[str, str] = os.environ) -> Secret | None:
    """The secret of a name in KNOWN, without white space around it; None when no source is named for it.

    Raises SecretUnavailable when a source is named and has it not, or has it where others could read or change it.
    """
    variable = f"OMS_{name.upper()}_FILE"
    directory, command = environment.get("OMS_SECRETS_DIR"), environment.get("OMS_SECRETS_COMMAND")
    if environment.get(variable):
        return _from_file(Path(environment[variable]), name, f"{variable} names", own=True)
    if directory:
        return _from_directory(Path(directory), name)
    if command:
        return _from_command(command, name)
    return None


def _from_directory(directory: Path, name: str) -> Secret | None:
    """Passwords may be absent, because a server may know its users otherwise; the key may not."""
    path = directory / name
    if path.exists():
        return _from_file(path, name, "OMS_SECRETS_DIR leads to", own=False)
    if name == "secret_key":
        raise SecretUnavailable("OMS_SECRETS_DIR holds no file secret_key; put a long random text there.")
    return None


def _from_file(path: Path, name: str, origin: str, *, own: bool) -> Secret:
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
        content = path.read_bytes()[: MOST_BYTES + 1]
    except OSError as problem:
        raise SecretUnavailable(f"{origin} {path}, which cannot be read ({problem.strerror}).") from None
    if mode & 0o022:
        raise SecretUnavailable(f"{origin} {path}, which others could change; chmod 600 it.")
    if own and mode & 0o004:
        raise SecretUnavailable(f"{origin} {path}, which everybody can read; chmod 600 it.")
    return _text(content, name)


def _from_command(command: str, name: str) -> Secret | None:
    try:
        done = subprocess.run([*shlex.split(command), name], capture_output=True, timeout=COMMAND_SECONDS, check=False)
    except (OSError, ValueError):
        raise SecretUnavailable(f"OMS_SECRETS_COMMAND cannot be run for {name}.") from None
    except subprocess.TimeoutExpired:
        raise SecretUnavailable(f"OMS_SECRETS_COMMAND gave no {name} within {COMMAND_SECONDS} seconds.") from None
    if done.returncode != 0:
        raise SecretUnavailable(f"OMS_SECRETS_COMMAND ended with {done.returncode} when asked for {name}.")
    if not done.stdout.strip() and name != "secret_key":
        return None
    return _text(done.stdout, name)


def _text(content: bytes, name: str) -> Secret:
    try:
        text = content.decode().strip()
    except UnicodeDecodeError:
        raise SecretUnavailable(f"The {name} is not UTF-8 text.") from None
    if not text or len(content) > MOST_BYTES or "\0" in text:
        raise SecretUnavailable(f"The {name} is empty, too long or not a text.")
    return Secret(text)
