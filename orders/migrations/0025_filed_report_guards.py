"""What a file told is let in by an approved request alone, keeps what it said, and stands behind every execution it made."""

from typing import ClassVar

from django.db import migrations

from journal.triggers import never_deleted

KEPT = (
    "id",
    "order_id",
    "identity",
    "exec_id",
    "request_id",
    "source",
    "file",
    "sha256",
    "line",
    "raw",
    "said",
    "filed_at",
)
CHANGED = " OR ".join(f"NEW.{name} IS DISTINCT FROM OLD.{name}" for name in KEPT)
GUARD = f"""
CREATE FUNCTION orders_filedreport_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NOT EXISTS (SELECT FROM authorisation_authorisationrequest r WHERE r.id = NEW.request_id
                          AND r.kind = 'break_repair' AND r.state = 'approved') THEN
            RAISE EXCEPTION 'a report of a file needs an approved request' USING ERRCODE = 'restrict_violation';
        END IF;
    ELSIF {CHANGED} OR OLD.heard_as <> '' THEN
        RAISE EXCEPTION 'a report of a file keeps what it said' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER orders_filedreport_guard BEFORE INSERT OR UPDATE ON orders_filedreport FOR EACH ROW
    EXECUTE FUNCTION orders_filedreport_guard();
CREATE FUNCTION orders_execution_filed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM orders_filedreport f WHERE f.order_id = NEW.order_id AND f.identity = NEW.identity) THEN
        RAISE EXCEPTION 'an execution from a file names the file and its line' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER orders_execution_filed BEFORE INSERT ON orders_execution FOR EACH ROW
    WHEN (NEW.identity LIKE '~file|%') EXECUTE FUNCTION orders_execution_filed()
"""  # noqa: S608 - the names are ours
UNGUARD = """
DROP TRIGGER orders_execution_filed ON orders_execution; DROP FUNCTION orders_execution_filed();
DROP TRIGGER orders_filedreport_guard ON orders_filedreport; DROP FUNCTION orders_filedreport_guard()
"""


class Migration(migrations.Migration):
    dependencies: ClassVar = [("orders", "0024_filed_reports"), ("authorisation", "0021_reconciliation_apart")]

    operations: ClassVar = [
        migrations.RunSQL(GUARD, UNGUARD),
        migrations.RunSQL(*never_deleted("orders_filedreport")),
    ]
