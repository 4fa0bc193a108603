"""A stored tick under a legal hold cannot be deleted at any age."""

from typing import ClassVar

from django.db import migrations

FUNCTION = """
CREATE FUNCTION refdata_tick_held() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF journal_is_held(OLD.received_at, (SELECT symbol FROM refdata_listing WHERE id = OLD.listing_id)) THEN
        RAISE EXCEPTION 'a price tick under a legal hold is kept' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN OLD;
END $$;
CREATE TRIGGER refdata_pricetick_held BEFORE DELETE ON refdata_pricetick
    FOR EACH ROW EXECUTE FUNCTION refdata_tick_held()
"""
REVERSE = "DROP TRIGGER refdata_pricetick_held ON refdata_pricetick; DROP FUNCTION refdata_tick_held()"


class Migration(migrations.Migration):
    dependencies: ClassVar = [("refdata", "0009_demo_forgets_ticks_sooner"), ("journal", "0009_retention_guards")]

    operations: ClassVar = [migrations.RunSQL(FUNCTION, REVERSE)]
