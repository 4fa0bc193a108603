"""A word that opens a gate is granted by an approved request about it, of a gate of the start of day alone, and ended once."""

from importlib import import_module
from typing import ClassVar

from django.db import migrations

triggers = import_module("journal.triggers")
NEVER_DELETED, DELETABLE = triggers.never_deleted("risk_waiver")
GUARD = """
CREATE FUNCTION risk_waiver_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.ended_at IS NOT NULL OR NOT EXISTS (
            SELECT FROM authorisation_authorisationrequest r JOIN risk_block b ON b.id = NEW.block_id
             WHERE r.id = NEW.request_id AND r.kind = 'gate_override' AND r.state = 'approved' AND b.lifted_at IS NULL
               AND b.source LIKE 'start\\_of\\_day:%' AND r.payload ->> 'block_id' = b.id::text
               AND r.payload ->> 'account_id' = NEW.account_id) THEN
            RAISE EXCEPTION 'a gate of the start of day is opened by an approved request about it, and no other block is'
                USING ERRCODE = 'restrict_violation';
        END IF;
        RETURN NEW;
    END IF;
    IF OLD.ended_at IS NOT NULL
       OR (NEW.id, NEW.block_id, NEW.account_id, NEW.until, NEW.reason, NEW.request_id, NEW.granted_by, NEW.granted_at)
          IS DISTINCT FROM
          (OLD.id, OLD.block_id, OLD.account_id, OLD.until, OLD.reason, OLD.request_id, OLD.granted_by, OLD.granted_at) THEN
        RAISE EXCEPTION 'a word that opens a gate is ended once and else stays as it was given' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER risk_waiver_guard BEFORE INSERT OR UPDATE ON risk_waiver FOR EACH ROW EXECUTE FUNCTION risk_waiver_guard()
"""
UNGUARD = "DROP TRIGGER risk_waiver_guard ON risk_waiver; DROP FUNCTION risk_waiver_guard()"


class Migration(migrations.Migration):
    dependencies: ClassVar = [("risk", "0019_waivers"), ("authorisation", "0026_post_trade_policies")]

    operations: ClassVar = [
        migrations.RunSQL(GUARD, UNGUARD),
        migrations.RunSQL(NEVER_DELETED, DELETABLE),
    ]
