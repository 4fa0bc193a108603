"""A stored tick cannot be deleted within seven days of its arrival; in a database marked as a demo's, within one.

The mark is the database's comment, which its owner alone may write, once, before anything else is in it.
"""

from django.db import migrations

FUNCTION = """
CREATE OR REPLACE FUNCTION refdata_tick_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'DELETE' THEN
        RAISE EXCEPTION '% on % is denied: a tick is what a feed said', TG_OP, TG_TABLE_NAME
            USING ERRCODE = 'restrict_violation';
    END IF;
    IF OLD.received_at > now() - interval '7 days'{unless} THEN
        RAISE EXCEPTION 'a price tick is kept at least 7 days' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN OLD;
END $$
"""
IN_DEMO = """ AND NOT (
           OLD.received_at <= now() - interval '1 day' AND EXISTS (
           SELECT FROM pg_database d
            WHERE d.datname = current_database() AND shobj_description(d.oid, 'pg_database') = 'oms:demo'))"""


class Migration(migrations.Migration):
    dependencies = [("refdata", "0008_action_guards")]

    operations = [migrations.RunSQL(FUNCTION.format(unless=IN_DEMO), FUNCTION.format(unless=""))]
