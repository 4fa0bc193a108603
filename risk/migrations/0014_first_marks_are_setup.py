"""The first standing mark of a key may be set without a request: it only adds a bound where there was none.

That is how a house is set up, by a process with the rights of all others. What stands already, and what would shadow it for
a time, changes by an approved request only.
"""

from django.db import migrations

FUNCTION = """
CREATE OR REPLACE FUNCTION risk_limit_by_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF pg_has_role(current_user, (SELECT relowner FROM pg_class WHERE oid = TG_RELID), 'USAGE') THEN
        IF TG_OP = 'DELETE' THEN RETURN OLD; END IF;
        RETURN NEW;
    END IF;
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'a limit is ended, never deleted' USING ERRCODE = 'restrict_violation';
    END IF;
    {first}IF NEW.change_id IS NULL OR (TG_OP = 'UPDATE' AND NEW.change_id IS NOT DISTINCT FROM OLD.change_id)
       OR NOT EXISTS (SELECT FROM authorisation_authorisationrequest r
                       WHERE r.id = NEW.change_id AND r.kind = 'limit_change' AND r.state = 'approved'
                         AND r.payload ->> 'scope' = NEW.scope AND r.payload ->> 'scope_id' = NEW.scope_id
                         AND r.payload ->> 'kind' = NEW.kind) THEN
        RAISE EXCEPTION 'a limit changes by an approved request only' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
"""
FIRST = """IF TG_OP = 'INSERT' AND NEW.change_id IS NULL AND NEW.effective_from IS NULL AND NEW.version = 1 THEN
        RETURN NEW;
    END IF;
    """


class Migration(migrations.Migration):
    dependencies = [("risk", "0013_breaker_guards")]

    operations = [migrations.RunSQL(FUNCTION.format(first=FIRST), FUNCTION.format(first=""))]
