"""The roles of the database and what each may do, so that a mistake in code meets a second lock.

=============  ==================================================================================================
oms_owner      owns every table; migrates; no process of the house runs as it
oms_app        web, worker, relay, picture, inbox: reads and writes; appends only to what is append-only
oms_gateway    like oms_app, and alone records hand-overs: nothing else can claim that an order was sent
oms_read       reads; the stream, ``status``, checks
=============  ==================================================================================================

Append-only is denied here by grant and in each room by trigger; nobody but the owner may TRUNCATE anything.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

import psycopg
from psycopg import sql

from oms_project.house.failures import CannotRun
from oms_project.house.paths import House, write_private

OWNER, APP, GATEWAY, READ = "oms_owner", "oms_app", "oms_gateway", "oms_read"
PROCESS_ROLES = (APP, GATEWAY, READ)
WRITERS = (APP, GATEWAY)
HAND_OVERS = ("venues_handover", "venues_posttradehandover", "venues_posttradeagain")
SEALS = ("journal_seal", "journal_sealkey", "journal_sealanchor")
ACTIONS = ("refdata_corporateactionversion", "refdata_formername", "accounts_actionentry", "accounts_statementpart")
ALLOCATED = ("accounts_allocationpart",)
CLOSINGS = ("accounts_closedday", "accounts_closingbalance")
REVIEWS = ("authorisation_reviewassignment", "authorisation_reviewword")
RECONCILIATION = tuple(
    f"reconciliation_{name}" for name in ("tolerance", "breakpolicy", "outsidename", "runbreak", "feedversion")
)
POST_TRADE = tuple(
    f"allocations_{name}"
    for name in (
        "scheme",
        "intendedallocation",
        "matchtolerance",
        "counterpartyterms",
        "feedentry",
        "sendingrule",
        "penaltyrate",
        "standinginstruction",
        "settlementstatus",
        "blockoutcome",
        "contractnote_allocations",
    )
)
APPEND_ONLY = (
    "journal_event", *SEALS, "accounts_booking", "accounts_feeschedule", "accounts_locate", "risk_ratemark", "accounts_canaryaccount",
    *CLOSINGS, "venues_wiremessage", *HAND_OVERS, "journal_retentionrule", "journal_archive", "authorisation_decision",
    "authorisation_requestversion", "authorisation_approvalpolicy", *REVIEWS, *ACTIONS, *ALLOCATED, *RECONCILIATION, *POST_TRADE,
)  # fmt: skip
OLDEST_SERVER = 150000
UNCHANGED = ("refdata_pricetick", "outbound_deliveryattempt")  # forgotten when old, never changed
DATABASE = "oms"


@dataclass(frozen=True, slots=True)
class Addresses:
    """Which address each kind of process connects with. All are the same where roles could not be made."""

    owner: str
    app: str
    gateway: str
    read: str

    def of(self, role: str) -> str:
        """The address for a role name."""
        return {OWNER: self.owner, APP: self.app, GATEWAY: self.gateway, READ: self.read}[role]


def create_embedded(superuser_url: str, database: str = DATABASE) -> None:
    """Make the roles and the owner's database inside the embedded server, where they are missing."""
    with psycopg.connect(superuser_url, autocommit=True) as connection:
        for role in (OWNER, *PROCESS_ROLES):
            if not _exists(connection, "pg_roles", "rolname", role):
                connection.execute(sql.SQL("CREATE ROLE {} LOGIN").format(sql.Identifier(role)))
        if not _exists(connection, "pg_database", "datname", database):
            names = sql.Identifier(database), sql.Identifier(OWNER)
            connection.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(*names))


def _exists(connection: psycopg.Connection, table: str, column: str, value: str) -> bool:
    query = sql.SQL("SELECT 1 FROM {} WHERE {} = %s").format(sql.Identifier(table), sql.Identifier(column))
    return connection.execute(query, [value]).fetchone() is not None


def _tables(connection: psycopg.Connection, names: Iterable[str]) -> list[sql.Identifier]:
    """The named tables that exist, with their partitions."""
    rows = connection.execute(
        """
        WITH RECURSIVE family AS (
            SELECT c.oid, c.relname FROM pg_class c
            WHERE c.relnamespace = 'public'::regnamespace AND c.relname = ANY(%s) AND c.relkind IN ('r', 'p')
            UNION SELECT c.oid, c.relname FROM family f JOIN pg_inherits i ON i.inhparent = f.oid
            JOIN pg_class c ON c.oid = i.inhrelid
        ) SELECT relname FROM family ORDER BY relname
        """,
        [list(names)],
    ).fetchall()
    return [sql.Identifier("public", row[0]) for row in rows]


def apply_grants(owner_url: str) -> None:
    """Give every role exactly what the table above says. Repeatable; one transaction."""
    with psycopg.connect(owner_url) as connection:
        everyone = sql.SQL(", ").join(map(sql.Identifier, PROCESS_ROLES))
        writers = sql.SQL(", ").join(map(sql.Identifier, WRITERS))
        appends = sql.SQL(", ").join(_tables(connection, APPEND_ONLY))
        hand_overs = sql.SQL(", ").join(_tables(connection, HAND_OVERS))
        unchanged = sql.SQL(", ").join(_tables(connection, UNCHANGED))
        ledger = sql.SQL(", ").join(_tables(connection, ["django_migrations"]))
        statements = [
            "GRANT USAGE ON SCHEMA public TO {everyone}",
            "REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {everyone}",
            "GRANT SELECT ON ALL TABLES IN SCHEMA public TO {everyone}",
            "GRANT INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {writers}",
            "GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {writers}",
            "GRANT SELECT ON ALL SEQUENCES IN SCHEMA public TO {everyone}",
            "REVOKE UPDATE, DELETE, TRUNCATE ON {appends} FROM {writers}" if appends.as_string() else "",
            "REVOKE UPDATE, TRUNCATE ON {unchanged} FROM {writers}" if unchanged.as_string() else "",
            "REVOKE INSERT ON {hand_overs} FROM {app}" if hand_overs.as_string() else "",
            "REVOKE INSERT, UPDATE, DELETE ON {ledger} FROM {writers}" if ledger.as_string() else "",
        ]
        for statement in filter(None, statements):
            connection.execute(
                sql.SQL(statement).format(
                    everyone=everyone,
                    writers=writers,
                    app=sql.Identifier(APP),
                    appends=appends,
                    unchanged=unchanged,
                    hand_overs=hand_overs,
                    ledger=ledger,
                )
            )


def with_role(url: str, role: str, password: str) -> str:
    """``url`` with another user and password."""
    parts = urlsplit(url)
    place = parts.netloc.rpartition("@")[2]
    return parts._replace(netloc=f"{role}:{quote(password, safe='')}@{place}").geturl()


def answers(url: str) -> bool:
    """True when ``url`` can be connected to."""
    try:
        psycopg.connect(url, connect_timeout=5).close()
    except psycopg.OperationalError:
        return False
    return True


def check_server(url: str) -> None:
    """A real server must answer and be recent enough; otherwise one sentence."""
    try:
        with psycopg.connect(url, connect_timeout=10) as connection:
            version = connection.info.server_version
    except psycopg.OperationalError as problem:
        reason = str(problem).strip().splitlines()[-1]
        raise CannotRun(
            f"The database at OMS_DATABASE_URL does not answer ({reason}); correct the address."
        ) from problem
    if version < OLDEST_SERVER:
        raise CannotRun(f"The database server is version {version // 10000}; PostgreSQL 15 or later is needed.")


def use_external(house: House, url: str) -> tuple[Addresses, str]:
    """Addresses on a real server, and a sentence to print where its user may not make roles (else empty)."""
    check_server(url)
    store = house.var / "database_roles.json"
    known: dict[str, str] = json.loads(store.read_text()) if store.exists() else {}
    with psycopg.connect(url, autocommit=True) as connection:
        row = connection.execute(
            "SELECT rolcreaterole OR rolsuper, current_database() FROM pg_roles WHERE rolname = current_user"
        ).fetchone()
        privileged, database = bool(row and row[0]), str(row[1] if row else "")
        for role in PROCESS_ROLES:
            if privileged and not _exists(connection, "pg_roles", "rolname", role):
                known[role] = secrets.token_urlsafe(24)
                made = sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(
                    sql.Identifier(role), sql.Literal(known[role])
                )
                connection.execute(made)
                write_private(store, json.dumps(known))
            if privileged and role in known:
                names = sql.Identifier(database), sql.Identifier(role)
                connection.execute(sql.SQL("GRANT CONNECT ON DATABASE {} TO {}").format(*names))
    if all(role in known and answers(with_role(url, role, known[role])) for role in PROCESS_ROLES):
        made_urls = [with_role(url, role, known[role]) for role in PROCESS_ROLES]
        return Addresses(url, *made_urls), ""
    return Addresses(url, url, url, url), (
        f"Every process uses the user of OMS_DATABASE_URL, because {', '.join(PROCESS_ROLES)} cannot be used: "
        f"let that user create roles, or make them and put their passwords into {store} as a JSON object."
    )


def mark_mode(owner_url: str, mode: str) -> None:
    """Write into the database whether it is demo or live, once; the other mode is refused for ever."""
    with psycopg.connect(owner_url) as connection:
        row = connection.execute(
            "SELECT shobj_description(oid, 'pg_database'), datname FROM pg_database WHERE datname = current_database()"
        ).fetchone()
        comment, name = (row[0] or "", row[1]) if row else ("", "")
        if comment.startswith("oms:") and comment != f"oms:{mode}":
            raise CannotRun(
                f"This database holds {comment.removeprefix('oms:')} data and {mode} was asked for; "
                "use another database, or start over with ./oms reset."
            )
        if not comment.startswith("oms:"):
            query = sql.SQL("COMMENT ON DATABASE {} IS {}").format(sql.Identifier(name), sql.Literal(f"oms:{mode}"))
            connection.execute(query)


def ask(url: str, query: str) -> list[tuple[object, ...]]:
    """Rows of one reading query on a connection of its own."""
    with psycopg.connect(url, connect_timeout=5) as connection:
        return connection.execute(query.encode()).fetchall()


def lists_table(url: str, table: str) -> bool:
    """True when the database has ``table``: false before the first migration."""
    with psycopg.connect(url, connect_timeout=5) as connection:
        row = connection.execute("SELECT to_regclass(%s)", [f"public.{table}"]).fetchone()
        return bool(row and row[0])
