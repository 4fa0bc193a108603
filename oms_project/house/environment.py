"""The ``OMS_*`` variables a house runs with: mode, secret, ports, addresses, build. Live never borrows from demo."""

from __future__ import annotations

import os
import secrets
import socket
import subprocess
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import quote, urlsplit

from oms_project.house.failures import BadInput, CannotRun
from oms_project.house.paths import House, write_private
from oms_project.secret_store import Secret, SecretUnavailable, read_secret

DEMO, LIVE, TEST = "demo", "live", "test"
PORTS = {"OMS_WEB_PORT": 8000, "OMS_STREAM_PORT": 8001, "OMS_FIX_PORT": 9878}


def port_of(name: str) -> int:
    """The port a variable names, else its usual one."""
    text = os.environ.get(name, "").strip()
    if not text:
        return PORTS[name]
    if not text.isdigit() or not 1 <= int(text) <= 65535:
        raise BadInput(f"{name} is {text!r}; it must be a port number.")
    return int(text)


def is_free(port: int) -> bool:
    """True when a server of ours could listen on ``port``."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", port))
            listener.listen(1)
        except OSError:
            return False
    return True


def check_ports(names: Iterable[str]) -> None:
    """One sentence that names the first taken port and the variable that moves it."""
    wanted: dict[int, str] = {}
    for name in names:
        first = port_of(name)
        for port in (first, first + 1) if name == "OMS_FIX_PORT" else (first,):
            if port in wanted:
                raise BadInput(f"Port {port} is asked for twice, by {wanted[port]} and {name}.")
            wanted[port] = name
    for port, name in wanted.items():
        if not is_free(port):
            option = " (or --port)" if name == "OMS_WEB_PORT" else ""
            raise CannotRun(f"Port {port} is taken; set {name}{option} to a free one and start again.")


def given_secret(name: str) -> Secret | None:
    """The secret from the source that was named for it, None where none was; one sentence when it cannot be had."""
    try:
        return read_secret(name)
    except SecretUnavailable as problem:
        raise CannotRun(str(problem)) from None


def secret_key_file(house: House, mode: str) -> Path | None:
    """The demo makes its own key once; live must be given one. None where it comes from a directory or a command."""
    given = os.environ.get("OMS_SECRET_KEY_FILE")
    if given_secret("secret_key") is not None:
        return Path(given).resolve() if given else None
    if mode == LIVE:
        raise CannotRun(
            "Live mode needs OMS_SECRET_KEY_FILE: a file, readable by this user only, with a long random text "
            "(or OMS_SECRETS_DIR, or OMS_SECRETS_COMMAND)."
        )
    if not house.secret_key_file.exists():
        write_private(house.secret_key_file, secrets.token_urlsafe(64))
    return house.secret_key_file


def database_url(mode: str) -> str | None:
    """The address of the real server with its password, None for the embedded one. In live no variable may hold it."""
    url = os.environ.get("OMS_DATABASE_URL")
    if not url:
        return None
    parts = urlsplit(url)
    if parts.password and mode == LIVE:
        raise CannotRun(
            "OMS_DATABASE_URL holds a password, and live takes secrets from files only: "
            "put it into a file that OMS_DATABASE_PASSWORD_FILE names."
        )
    password = None if parts.password else given_secret("database_password")
    if password is None:
        return url
    place = f"{parts.username or ''}:{quote(password, safe='')}@{parts.netloc.rpartition('@')[2]}"
    return Secret(parts._replace(netloc=place).geturl())


def check_seal_key(mode: str) -> None:
    """Live must be given the key that signs seals, before anything starts; the demo makes its own when it first seals."""
    given = os.environ.get("OMS_SEAL_KEY_FILE")
    if given and mode == LIVE and not Path(given).is_file():
        raise CannotRun(
            f"OMS_SEAL_KEY_FILE names {given}, which is not there; make it with ./oms seal-key new {given}."
        )
    if not given and mode == LIVE:
        raise CannotRun(
            "Live mode needs OMS_SEAL_KEY_FILE, the key that signs what the journal sealed; "
            "make one with ./oms seal-key new FILE."
        )


def build_name(root: Path) -> str:
    """What runs: ``OMS_BUILD``, else the commit, marked when files differ from it, else ``unknown``."""
    given = os.environ.get("OMS_BUILD")
    if given:
        return given
    try:
        done = subprocess.run(
            ["git", "-c", f"safe.directory={root}", "describe", "--always", "--dirty", "--abbrev=12"],
            cwd=root,
            capture_output=True,
            text=True,
            check=False,
        )
    except OSError:
        return "unknown"
    return done.stdout.strip() or "unknown"


def common(house: House, mode: str) -> dict[str, str]:
    """What every process of the house is told, the addresses of the servers excepted."""
    variables = {
        "DJANGO_SETTINGS_MODULE": "oms_project.settings",
        "OMS_MODE": mode,
        "OMS_VAR_DIR": str(house.var),
        "OMS_BUILD": build_name(house.root),
    }
    key = secret_key_file(house, mode)
    return variables if key is None else variables | {"OMS_SECRET_KEY_FILE": str(key)}
