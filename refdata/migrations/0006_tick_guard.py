"""A stored tick is never changed, and cannot be deleted within seven days of its arrival."""

from django.db import migrations

FORWARD = """
CREATE FUNCTION refdata_tick_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'DELETE' THEN
        RAISE EXCEPTION '% on % is denied: a tick is what a feed said', TG_OP, TG_TABLE_NAME
            USING ERRCODE = 'restrict_violation';
    END IF;
    IF OLD.received_at > now() - interval '7 days' THEN
        RAISE EXCEPTION 'a price tick is kept at least 7 days' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN OLD;
END $$;
CREATE TRIGGER refdata_pricetick_kept BEFORE DELETE ON refdata_pricetick
    FOR EACH ROW EXECUTE FUNCTION refdata_tick_kept();
CREATE TRIGGER refdata_pricetick_unchanged BEFORE UPDATE OR TRUNCATE ON refdata_pricetick
    FOR EACH STATEMENT EXECUTE FUNCTION refdata_tick_kept()
"""
REVERSE = """
DROP TRIGGER refdata_pricetick_unchanged ON refdata_pricetick;
DROP TRIGGER refdata_pricetick_kept ON refdata_pricetick;
DROP FUNCTION refdata_tick_kept()
"""


class Migration(migrations.Migration):
    dependencies = [("refdata", "0005_price_ticks")]
    operations = [migrations.RunSQL(FORWARD, REVERSE)]
