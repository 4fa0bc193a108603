"""A first mark of a kind without which an order is refused takes an approved request too: it does not add a bound, it opens.

Until it is there nothing may be traded; a process that could write it could let everything through. A house is set up by
the owner of the table.
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
    IF TG_OP = 'INSERT' AND NEW.change_id IS NULL AND NEW.effective_from IS NULL AND NEW.version = 1{unless} THEN
        RETURN NEW;
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
"""
MANDATORY = """
       AND NEW.kind NOT IN ('order_qty', 'order_notional', 'price_collar', 'price_age')"""


class Migration(migrations.Migration):
    dependencies = [("risk", "0016_rulebook_by_request")]

    operations = [migrations.RunSQL(FUNCTION.format(unless=MANDATORY), FUNCTION.format(unless=""))]
