"""A limit changes by an approved request only, whatever goes around the service; setup and migrations are the owner's.

The owner of the table is no process of the house. A mark that is over keeps its row: removing it sets its end.
"""

from django.db import migrations

FORWARDS = """
CREATE FUNCTION risk_limit_by_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF pg_has_role(current_user, (SELECT relowner FROM pg_class WHERE oid = TG_RELID), 'USAGE') THEN
        IF TG_OP = 'DELETE' THEN RETURN OLD; END IF;
        RETURN NEW;
    END IF;
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'a limit is ended, never deleted' USING ERRCODE = 'restrict_violation';
    END IF;
    IF NEW.change_id IS NULL OR (TG_OP = 'UPDATE' AND NEW.change_id IS NOT DISTINCT FROM OLD.change_id)
       OR NOT EXISTS (SELECT FROM authorisation_authorisationrequest r
                       WHERE r.id = NEW.change_id AND r.kind = 'limit_change' AND r.state = 'approved'
                         AND r.payload ->> 'scope' = NEW.scope AND r.payload ->> 'scope_id' = NEW.scope_id
                         AND r.payload ->> 'kind' = NEW.kind) THEN
        RAISE EXCEPTION 'a limit changes by an approved request only' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER risk_limit_by_change BEFORE INSERT OR UPDATE OR DELETE ON risk_limit
    FOR EACH ROW EXECUTE FUNCTION risk_limit_by_change();
"""
BACKWARDS = """
DROP TRIGGER risk_limit_by_change ON risk_limit;
DROP FUNCTION risk_limit_by_change();
"""


class Migration(migrations.Migration):
    dependencies = [("risk", "0008_rate_guards"), ("authorisation", "0001_initial")]

    operations = [migrations.RunSQL(FORWARDS, BACKWARDS)]
