"""Level 0: the guards of the database stand, so that what it holds can only have come through the doors.

What should stand is not written down twice: triggers and their functions come from the migrations, constraints from the
models. Which role may do what is ``oms_project.house.database``; a role that does not exist may do nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from django.apps import apps
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations import RunSQL, SeparateDatabaseAndState
from django.db.migrations.operations.base import Operation

from operations.fsck.check import Check, Found, Level
from operations.fsck.snapshot import Snapshot

PROCESS_ROLES = ("oms_app", "oms_gateway", "oms_read")
_ROLES = ", ".join(f"'{role}'" for role in PROCESS_ROLES)
_BITS = {"INSERT": 4, "DELETE": 8, "UPDATE": 16, "TRUNCATE": 32}
_STATEMENT = re.compile(
    r"CREATE\s+(?:OR\s+REPLACE\s+)?FUNCTION\s+(?P<function>\w+)\s*\([^)]*\).*?AS\s+\$\$(?P<body>.*?)\$\$"
    r"|CREATE\s+(?:CONSTRAINT\s+)?TRIGGER\s+(?P<trigger>\w+)\s+(?:BEFORE|AFTER)\s+(?P<when>.*?)\s+ON\s+(?P<table>\w+)"
    r".*?EXECUTE\s+FUNCTION\s+(?P<calls>\w+)"
    r"|DROP\s+TRIGGER\s+(?:IF\s+EXISTS\s+)?(?P<no_trigger>\w+)\s+ON\s+(?P<no_table>\w+)"
    r"|DROP\s+FUNCTION\s+(?:IF\s+EXISTS\s+)?(?P<no_function>\w+)",
    re.IGNORECASE | re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Guards:
    """What migrations made: {(table, trigger): (events as bits, function)} and {function: body}."""

    triggers: dict[tuple[str, str], tuple[int, str]]
    functions: dict[str, str]


@lru_cache(maxsize=1)
def expected_guards() -> Guards:
    """The triggers and functions that every migration on disk, applied in order, leaves behind."""
    guards = Guards({}, {})
    for _, migration in sorted(MigrationLoader(None).disk_migrations.items()):
        for operation in migration.operations:
            for text in _statements(operation):
                read_guards(text, guards)
    return guards


def _statements(operation: Operation) -> Iterator[str]:
    if isinstance(operation, SeparateDatabaseAndState):
        for inner in operation.database_operations:
            yield from _statements(inner)
    elif isinstance(operation, RunSQL):
        parts = [operation.sql] if isinstance(operation.sql, str) else operation.sql
        yield from (part if isinstance(part, str) else part[0] for part in parts)


def read_guards(text: str, guards: Guards) -> None:
    """Add what the SQL creates and take away what it drops."""
    for match in _STATEMENT.finditer(text):
        found = match.groupdict()
        if found["function"]:
            guards.functions[found["function"]] = found["body"]
        elif found["trigger"]:
            events = sum(bit for word, bit in _BITS.items() if re.search(rf"\b{word}\b", found["when"], re.IGNORECASE))
            guards.triggers[found["table"], found["trigger"]] = (events, found["calls"])
        elif found["no_trigger"]:
            guards.triggers.pop((found["no_table"], found["no_trigger"]), None)
        else:
            guards.functions.pop(found["no_function"], None)


_TRIGGERS = """
SELECT c.relname, t.tgname, t.tgtype & 60, p.proname, t.tgenabled
  FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_proc p ON p.oid = t.tgfoid
 WHERE NOT t.tgisinternal AND c.relnamespace = 'public'::regnamespace
"""
_FUNCTIONS = "SELECT proname, prosrc FROM pg_proc WHERE pronamespace = 'public'::regnamespace"


def missing_triggers(snapshot: Snapshot) -> Iterator[Found]:
    """Triggers that are not there, switched off, or made for less than they were."""
    there = {(table, name): row for table, name, *row in snapshot.rows(_TRIGGERS)}
    for (table, name), (events, calls) in expected_guards().triggers.items():
        row = there.get((table, name))
        if row is None:
            yield Found(f"{name} on {table}", "is not there")
        elif row[2] not in ("O", "A"):
            yield Found(f"{name} on {table}", "is switched off")
        elif (row[0], row[1]) != (events, calls):
            yield Found(
                f"{name} on {table}", f"calls {row[1]} for events {row[0]}; it was made to call {calls} for {events}"
            )


def changed_functions(snapshot: Snapshot) -> Iterator[Found]:
    """Functions of triggers that are not there or say something else than the migration that made them."""
    there = dict(snapshot.rows(_FUNCTIONS))
    for name, body in expected_guards().functions.items():
        if name not in there:
            yield Found(f"function {name}", "is not there")
        elif there[name].split() != body.split():
            yield Found(f"function {name}", "says something else than the migration that made it")


def missing_constraints(snapshot: Snapshot) -> Iterator[Found]:
    """Constraints that the models declare and the database has not."""
    there = {
        name
        for (name,) in snapshot.rows(
            "SELECT conname FROM pg_constraint WHERE connamespace = 'public'::regnamespace UNION "
            "SELECT relname FROM pg_class WHERE relkind IN ('i', 'I') AND relnamespace = 'public'::regnamespace"
        )
    }
    for model in apps.get_models():
        for constraint in model._meta.constraints:
            if constraint.name not in there:
                yield Found(f"{constraint.name} on {model._meta.db_table}", "is not there")


def unapplied_migrations(snapshot: Snapshot) -> Iterator[Found]:
    """Migrations of this build that the database has not had, and those it had from another build."""
    applied = set(snapshot.rows("SELECT app, name FROM django_migrations"))
    known = set(MigrationLoader(None).disk_migrations)
    for app, name in sorted(known - applied):
        yield Found(f"{app}.{name}", "is not applied")
    labels = {app for app, _ in known}
    for app, name in sorted(applied - known):
        if app in labels:
            yield Found(f"{app}.{name}", "was applied by another build and is unknown to this one")


_NOT_VALID = """
SELECT conname || ' on ' || conrelid::regclass AS subject, 'was never validated' AS what
  FROM pg_constraint WHERE NOT convalidated AND connamespace = 'public'::regnamespace
UNION ALL
SELECT c.relname, 'is an index that is not valid'
  FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
 WHERE NOT i.indisvalid AND c.relnamespace = 'public'::regnamespace
UNION ALL
SELECT con.conname || ' on ' || con.conrelid::regclass, 'is a foreign key that is switched off'
  FROM pg_trigger t JOIN pg_constraint con ON con.oid = t.tgconstraint
 WHERE t.tgisinternal AND t.tgenabled = 'D' AND con.connamespace = 'public'::regnamespace
 GROUP BY 1
"""

# A trigger of the whole statement on UPDATE (bits 16 and 1 of its type): one a row guards a column, and its table changes.
_EVIDENCE = f"""
SELECT r.rolname || ' on ' || c.relname AS subject, 'may ' || string_agg(p.word, ', ' ORDER BY p.word) AS what
  FROM pg_roles r
 CROSS JOIN pg_class c
 CROSS JOIN (VALUES ('DELETE'), ('UPDATE'), ('TRUNCATE')) AS p(word)
 WHERE r.rolname IN ({_ROLES}) AND c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace
   AND has_table_privilege(r.oid, c.oid, p.word)
   AND (p.word = 'TRUNCATE' OR c.relname = 'django_migrations' OR EXISTS (
        SELECT FROM pg_trigger t JOIN pg_proc f ON f.oid = t.tgfoid
         WHERE t.tgrelid = c.oid AND f.proname = 'journal_deny_change' AND t.tgtype & 17 = 16))
 GROUP BY r.rolname, c.relname
"""

_HAND_OVERS = f"""
SELECT r.rolname AS subject, 'may insert into ' || t.name AS what
  FROM pg_roles r CROSS JOIN (VALUES ('venues_handover'), ('venues_posttradehandover')) AS t(name)
 WHERE r.rolname IN ({_ROLES}) AND r.rolname <> 'oms_gateway'
   AND has_any_column_privilege(r.oid, t.name::regclass, 'INSERT')
"""

_READER = """
SELECT r.rolname || ' on ' || c.relname AS subject, 'may ' || string_agg(p.word, ', ' ORDER BY p.word) AS what
  FROM pg_roles r
 CROSS JOIN pg_class c
 CROSS JOIN (VALUES ('INSERT'), ('UPDATE'), ('DELETE')) AS p(word)
 WHERE r.rolname = 'oms_read' AND c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace
   AND has_table_privilege(r.oid, c.oid, p.word)
 GROUP BY r.rolname, c.relname
"""

_MIGHT = f"""
SELECT r.rolname AS subject, 'is a superuser or may pass by the rules of others' AS what
  FROM pg_roles r WHERE r.rolname IN ({_ROLES}) AND (r.rolsuper OR r.rolbypassrls OR r.rolcreaterole OR r.rolreplication)
UNION ALL
SELECT r.rolname, 'owns ' || count(*) || ' tables, such as ' || min(c.relname)
  FROM pg_roles r JOIN pg_class c ON pg_has_role(r.oid, c.relowner, 'USAGE')
 WHERE r.rolname IN ({_ROLES}) AND NOT r.rolsuper AND c.relkind IN ('r', 'p')
   AND c.relnamespace = 'public'::regnamespace
 GROUP BY r.rolname
UNION ALL
SELECT coalesce(r.rolname, 'every role'), 'is set to work with triggers off'
  FROM pg_db_role_setting s LEFT JOIN pg_roles r ON r.oid = s.setrole
 WHERE EXISTS (SELECT FROM unnest(s.setconfig) AS one WHERE one LIKE 'session_replication_role=%'
                  AND one <> 'session_replication_role=origin')
   AND s.setdatabase IN (0, (SELECT oid FROM pg_database WHERE datname = current_database()))
"""

CHECKS = (
    Check(
        "GUARD_TRIGGER_MISSING", "I5", Level.GUARDS,
        "Every trigger that keeps evidence, denies deletion or holds states to their table stands and is switched on.",
        "Find out who took it away and when (server log); treat everything written since as unproven; run the migration again.",
        look=missing_triggers,
    ),
    Check(
        "GUARD_FUNCTION_CHANGED", "I5", Level.GUARDS,
        "The functions behind those triggers say what the migrations made them say.",
        "Put the function back from its migration; treat everything written since as unproven.",
        look=changed_functions,
    ),
    Check(
        "CONSTRAINT_MISSING", "I4", Level.GUARDS,
        "Every constraint that the models declare stands in the database.",
        "Add the constraint again; rows that break it show which money or quantity is wrong.",
        look=missing_constraints,
    ),
    Check(
        "CONSTRAINT_NOT_VALID", "I4", Level.GUARDS,
        "Every constraint and index is valid and no foreign key is switched off.",
        "VALIDATE CONSTRAINT, or REINDEX CONCURRENTLY; rows that break it are the finding behind this one.",
        sql=_NOT_VALID,
    ),
    Check(
        "EVIDENCE_CAN_BE_CHANGED", "I5", Level.GUARDS,
        "No process may change or delete evidence, or truncate anything.",
        "Open the house again (./oms up sets all grants), then find out who granted it.",
        sql=_EVIDENCE,
    ),
    Check(
        "HAND_OVER_NOT_RESERVED", "I2", Level.GUARDS,
        "Only the gateway may record that something was given to the engine.",
        "Open the house again (./oms up sets all grants), then find out who granted it.",
        sql=_HAND_OVERS,
    ),
    Check(
        "READER_MAY_WRITE", "I5", Level.GUARDS,
        "The reading role reads.",
        "Open the house again (./oms up sets all grants), then find out who granted it.",
        sql=_READER,
    ),
    Check(
        "PROCESS_TOO_MIGHTY", "I5", Level.GUARDS,
        "No process runs as owner of a table, as superuser, or with triggers off.",
        "Take the right or the setting away (ALTER ROLE), give the tables back to oms_owner, start the processes again.",
        sql=_MIGHT,
    ),
    Check(
        "MIGRATIONS_DIFFER", "I7", Level.GUARDS,
        "The database has had exactly the migrations of this build.",
        "Start the build that belongs to the database, or let ./oms up migrate it.",
        look=unapplied_migrations,
    ),
)  # fmt: skip
