"""The rulebook changes by an approved request only, whatever goes around the services; setup is the owner's of the tables.

Judged at commit: the request is approved in the transaction that applies it, and in whichever order.
"""

from django.db import migrations

TABLES = {
    "risk_rule": "rule",
    "risk_restriction": "restriction",
    "risk_mandate": "mandate",
    "risk_collar": "collar",
    "risk_conductpolicy": "policy",
}
FUNCTION = (
    """
CREATE FUNCTION risk_entry_by_request() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    entry jsonb := to_jsonb(CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END);
BEGIN
    IF pg_has_role(current_user, (SELECT relowner FROM pg_class WHERE oid = TG_RELID), 'USAGE') THEN
        RETURN NULL;
    END IF;
    IF TG_ARGV[0] = 'restriction' THEN
        IF TG_OP = 'INSERT' THEN RETURN NULL; END IF;  -- asked for: it does not count before it is approved
        IF TG_OP = 'UPDATE' AND to_jsonb(NEW) - 'swept_at' = to_jsonb(OLD) - 'swept_at' THEN RETURN NULL; END IF;
    END IF;
    IF entry ->> 'change_id' IS NULL OR NOT EXISTS (
        SELECT FROM authorisation_authorisationrequest r
         WHERE r.id = (entry ->> 'change_id')::uuid AND r.kind = 'rule_change' AND r.state = 'approved'
           AND r.payload ->> 'about' = TG_ARGV[0] AND (TG_OP <> 'DELETE' OR r.payload ->> 'action' = 'remove'))
       OR TG_OP = 'UPDATE' AND entry ->> 'change_id' IS NOT DISTINCT FROM to_jsonb(OLD) ->> 'change_id' THEN
        RAISE EXCEPTION 'the rulebook changes by an approved request only' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NULL;
END $$
""",
    "DROP FUNCTION risk_entry_by_request()",
)


def guard(table: str, about: str) -> tuple[str, str]:
    """The constraint trigger of one table."""
    forward = (
        f"CREATE CONSTRAINT TRIGGER {table}_by_request AFTER INSERT OR UPDATE OR DELETE ON {table} "
        f"DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION risk_entry_by_request('{about}')"
    )
    return forward, f"DROP TRIGGER {table}_by_request ON {table}"


class Migration(migrations.Migration):
    dependencies = [("risk", "0015_change_ids"), ("authorisation", "0001_initial")]

    operations = [
        migrations.RunSQL(*FUNCTION),
        *(migrations.RunSQL(*guard(table, about)) for table, about in TABLES.items()),
    ]
