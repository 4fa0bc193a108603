"""SQL of the guards a table may carry: append-only, never deleted, allowed pairs of states. For migrations.

Each function returns ``(forward, reverse)``. The application cannot lift a guard; the production role does not own
the tables either. What a superuser does is caught by the hash chain and the seals.
"""

from __future__ import annotations

from collections.abc import Iterable

Sql = tuple[str, str]

DENY_FUNCTION: Sql = (
    """
CREATE FUNCTION journal_deny_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% on % is denied: its rows are evidence', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation';
END $$
""",
    "DROP FUNCTION journal_deny_change()",
)


def append_only(table: str) -> Sql:
    """No UPDATE, DELETE or TRUNCATE, not even of no rows."""
    return _deny(table, "append_only", "UPDATE OR DELETE OR TRUNCATE")


def never_deleted(table: str) -> Sql:
    """No DELETE or TRUNCATE."""
    return _deny(table, "never_deleted", "DELETE OR TRUNCATE")


def _deny(table: str, name: str, operations: str) -> Sql:
    guard = f"BEFORE {operations} ON {table} FOR EACH STATEMENT EXECUTE FUNCTION journal_deny_change()"
    return f"CREATE TRIGGER {table}_{name} {guard}", f"DROP TRIGGER {table}_{name} ON {table}"


def state_pairs(
    table: str, *, column: str, initial: Iterable[str], pairs: Iterable[tuple[str, str]], frozen: Iterable[str] = ()
) -> Sql:
    """Rows begin in an initial state and move only along the pairs; ``frozen`` columns keep their first value."""
    allowed = ", ".join(f"('{source}', '{target}')" for source, target in sorted(pairs))
    begin = ", ".join(f"'{state}'" for state in sorted(initial))
    kept = " OR ".join(f"NEW.{name} IS DISTINCT FROM OLD.{name}" for name in frozen) or "false"
    name = f"{table}_{column}_pairs"
    forward = f"""
CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.{column} NOT IN ({begin}) THEN
            RAISE EXCEPTION '% cannot begin as %', TG_TABLE_NAME, NEW.{column} USING ERRCODE = 'restrict_violation';
        END IF;
        RETURN NEW;
    END IF;
    IF NEW.{column} IS DISTINCT FROM OLD.{column}
       AND (OLD.{column}, NEW.{column}) NOT IN ({allowed}) THEN
        RAISE EXCEPTION '% cannot move from % to %', TG_TABLE_NAME, OLD.{column}, NEW.{column}
            USING ERRCODE = 'restrict_violation';
    END IF;
    IF {kept} THEN
        RAISE EXCEPTION '% keeps what was asked', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER {name} BEFORE INSERT OR UPDATE ON {table} FOR EACH ROW EXECUTE FUNCTION {name}()
"""
    return forward, f"DROP TRIGGER {name} ON {table}; DROP FUNCTION {name}()"


def refers_at_once(table: str, *, column: str, to: str, may_change: bool = False) -> Sql:
    """The twin of a foreign key to ``to`` by its id that proves all rows of a statement at once, before the next statement.

    A key asks once a row, and locks and so rewrites what it finds. What is named is not deleted: who deletes waits for those
    who write, and they for it. What a row names never changes, unless it ``may_change``: then an update is proven like an insert.
    """
    name = f"{table}_{column}"
    if may_change:
        later = f"""{name}_moved AFTER UPDATE ON {table} REFERENCING NEW TABLE AS written
    FOR EACH STATEMENT EXECUTE FUNCTION {name}_refers()"""
    else:
        later = f"""{name}_kept BEFORE UPDATE OF {column} ON {table} FOR EACH ROW
    WHEN (OLD.{column} IS DISTINCT FROM NEW.{column}) EXECUTE FUNCTION journal_deny_change()"""
    forward = f"""
CREATE FUNCTION {name}_refers() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE missing text;
BEGIN
    SELECT w.{column} INTO missing FROM written w WHERE NOT EXISTS (SELECT FROM {to} t WHERE t.id = w.{column}) LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION '%.{column} names %, which is no row of {to}', TG_TABLE_NAME, missing
            USING ERRCODE = 'foreign_key_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE FUNCTION {name}_named() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE still text;
BEGIN
    LOCK TABLE {table} IN SHARE MODE;
    SELECT g.id INTO still FROM gone g WHERE EXISTS (SELECT FROM {table} w WHERE w.{column} = g.id) LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION '% % is named by {table}.{column}', TG_TABLE_NAME, still USING ERRCODE = 'foreign_key_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER {name}_refers AFTER INSERT ON {table} REFERENCING NEW TABLE AS written
    FOR EACH STATEMENT EXECUTE FUNCTION {name}_refers();
CREATE TRIGGER {later};
CREATE TRIGGER {name}_named AFTER DELETE ON {to} REFERENCING OLD TABLE AS gone
    FOR EACH STATEMENT EXECUTE FUNCTION {name}_named()
"""  # noqa: S608
    reverse = (
        f"DROP TRIGGER {name}_named ON {to}; DROP TRIGGER {later.split()[0]} ON {table}; DROP TRIGGER {name}_refers ON {table}; "
        f"DROP FUNCTION {name}_named(); DROP FUNCTION {name}_refers()"
    )
    return forward, reverse
