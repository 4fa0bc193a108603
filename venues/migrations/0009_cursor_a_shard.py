"""One cursor a session and shard instead of one a session, each from where the one stood.

A consumer of before that still runs moves the old cursor only: what it works meanwhile is worked again, and a report
known already changes nothing.
"""

from __future__ import annotations

from django.db import migrations

FORWARD = """
INSERT INTO journal_cursor (name, position, updated_at)
SELECT c.name || ':' || h.shard, c.position, c.updated_at
  FROM journal_cursor c CROSS JOIN generate_series(0, 15) AS h(shard)
 WHERE c.name LIKE 'inbox:%' AND c.name NOT LIKE 'inbox:%:%'
    ON CONFLICT DO NOTHING
"""
BACKWARD = """
UPDATE journal_cursor c SET position = least(c.position, s.position)
  FROM (SELECT split_part(name, ':', 2) AS session, min(position) AS position FROM journal_cursor
         WHERE name LIKE 'inbox:%:%' GROUP BY 1) s
 WHERE c.name = 'inbox:' || s.session;
INSERT INTO journal_cursor (name, position, updated_at)
SELECT 'inbox:' || split_part(name, ':', 2), min(position), now() FROM journal_cursor
 WHERE name LIKE 'inbox:%:%' GROUP BY 1
    ON CONFLICT DO NOTHING;
DELETE FROM journal_cursor WHERE name LIKE 'inbox:%:%'
"""


class Migration(migrations.Migration):
    dependencies = [("venues", "0008_inbox_by_shard"), ("journal", "0001_initial")]

    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
