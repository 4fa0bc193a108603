"""A house of its own for journeys: a fresh database, the demo seed, and the real processes on free ports."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
from django.conf import settings
from psycopg import sql

from tests.fix_venue import free_port

ROOT = Path(__file__).resolve().parents[2]
SEED = (
    "import django; django.setup(); from django.core.management import call_command; "
    "call_command('migrate', verbosity=0); from oms_project.seed.run import seed_demo; seed_demo(lambda text: None)"
)
SWITCH_ON = (
    "INSERT INTO risk_block (id, scope, scope_id, source, reason, imposed_by, imposed_at, lifted_by, lifted_at) "
    "SELECT gen_random_uuid(), 'firm', '', 'trading_switch', 'start', 'test', now(), 'test', now() "
    "WHERE NOT EXISTS (SELECT FROM risk_block WHERE source = 'trading_switch')"
)
PROVEN = "SELECT count(*) FROM risk_block WHERE source = 'picture' AND lifted_at IS NOT NULL"


def wait_until(true: Callable[[], Any], *, seconds: float, what: str) -> Any:
    """The first truthy value of ``true`` within ``seconds``; fails with ``what`` otherwise."""
    deadline = time.monotonic() + seconds
    while True:
        value = true()
        if value:
            return value
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(0.05)


class House:
    """Start it with the roles a journey needs; ``stop()`` ends them all and drops the database."""

    def __init__(self, var: Path) -> None:
        given = settings.DATABASES["default"]
        self.name = f"journeys_{uuid4().hex[:10]}"
        self._server: dict[str, Any] = {
            "host": given["HOST"] or None,
            "port": given["PORT"] or None,
            "user": given["USER"] or None,
            "password": given["PASSWORD"] or None,
        }
        self.web_port, self.stream_port = free_port(), free_port()
        self.url = f"http://127.0.0.1:{self.web_port}"
        self.var = var
        host = f"?host={given['HOST']}" if str(given["HOST"]).startswith("/") else ""
        where = "" if host else f"{given['HOST']}:{given['PORT'] or 5432}"
        secret = f":{given['PASSWORD']}" if given["PASSWORD"] else ""
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("OMS_")},
            "DJANGO_SETTINGS_MODULE": "oms_project.settings",
            "OMS_MODE": "test",
            "OMS_DATABASE_URL": f"postgresql://{given['USER']}{secret}@{where}/{self.name}{host}",
            "OMS_REDIS_URL": settings.REDIS_URL,
            "OMS_WEB_PORT": str(self.web_port),
            "OMS_STREAM_PORT": str(self.stream_port),
            "OMS_FIX_PORT": str(free_port()),
            "OMS_VAR_DIR": str(var),
        }
        self.processes: dict[str, subprocess.Popen[bytes]] = {}

    def prepare(self) -> None:
        """Database, tables, demo desk, trading on."""
        with psycopg.connect(dbname="postgres", autocommit=True, **self._server) as admin:
            made = sql.Identifier(os.environ.get("TEST_TABLES", "template1"))  # of the run, else every table is made
            admin.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(self.name), made))
        subprocess.run([sys.executable, "-c", SEED], cwd=ROOT, env=self.environment, check=True, timeout=120)
        self.sql(SWITCH_ON)

    def sql(self, text: str, *values: Any) -> list[tuple[Any, ...]]:
        """One statement in the house's database, committed; its rows."""
        with psycopg.connect(dbname=self.name, autocommit=True, **self._server) as connection:
            cursor = connection.execute(text, values)
            return list(cursor.fetchall()) if cursor.description else []

    def fresh_prices(self) -> None:
        """Every price is of now, as the venue's price source would keep them."""
        self.sql("UPDATE refdata_referenceprice SET priced_at = now()")

    def start(self, *roles: str) -> None:
        """Start processes by role; web and stream are waited for, and that the picture is proven: till then orders are refused."""
        proven = self.sql(PROVEN)[0][0]
        log = (self.var / "processes.log").open("ab")
        for role in roles:
            command = [sys.executable, "-m", "oms_project.house.roles", role]
            self.processes[role] = subprocess.Popen(
                command, cwd=ROOT, env=self.environment, stdout=log, stderr=log, start_new_session=True
            )
        ports = {"web": self.web_port, "stream": self.stream_port}
        for role in roles:
            if role in ports:
                wait_until(partial(answers, f"http://127.0.0.1:{ports[role]}/healthz"), seconds=40, what=role)
        if "picture" in roles:
            wait_until(lambda: self.sql(PROVEN)[0][0] > proven, seconds=40, what="the picture proven")

    def end(self, role: str, number: int = signal.SIGKILL) -> None:
        """Send a signal to a role and, unless it only stops it, wait for its end."""
        process = self.processes[role]
        os.killpg(process.pid, number)
        if number not in (signal.SIGSTOP, signal.SIGCONT):
            process.wait(timeout=20)
            del self.processes[role]

    def stop(self) -> None:
        for role in list(self.processes):
            self.end(role, signal.SIGKILL)
        with psycopg.connect(dbname="postgres", autocommit=True, **self._server) as admin:
            admin.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(self.name)))

    def password_of(self, username: str) -> str:
        """The demo password of a person."""
        rows = json.loads((self.var / "demo_sign_ins.json").read_text())
        return str(next(row["password"] for row in rows if row["username"] == username))


def answers(address: str) -> bool:
    """Whether something answers 200 there."""
    try:
        with urllib.request.urlopen(address, timeout=2) as response:
            return bool(response.status == 200)
    except OSError:
        return False
