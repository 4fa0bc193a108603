"""Level 0 for people: nobody holds what does not mix, and no right came past the roles."""

from __future__ import annotations

from authorisation.domain.toxic import trigger_rows
from operations.fsck.check import Check, Level

_PAIRS = ", ".join("('{}', '{}', '{}')".format(*row) for row in trigger_rows())

_TOXIC = f"""
WITH held AS (
     SELECT DISTINCT ug.user_id, p.codename
       FROM authorisation_user_groups ug
       JOIN auth_group_permissions gp ON gp.group_id = ug.group_id
       JOIN auth_permission p ON p.id = gp.permission_id
)
SELECT 'user ' || u.username AS subject, format('holds %s and %s (%s)', t.one, t.other, t.pair) AS what
  FROM (VALUES {_PAIRS}) AS t(pair, one, other)
  JOIN held a ON a.codename = t.one
  JOIN held b ON b.codename = t.other AND b.user_id = a.user_id
  JOIN authorisation_user u ON u.id = a.user_id
"""

_SINGLE = """
SELECT 'user ' || u.username AS subject, 'was given ' || p.codename || ' alone' AS what
  FROM authorisation_user_user_permissions up
  JOIN authorisation_user u ON u.id = up.user_id JOIN auth_permission p ON p.id = up.permission_id
 UNION ALL
SELECT 'user ' || u.username, format('was granted %s on %s alone', p.codename, g.object_pk)
  FROM guardian_userobjectpermission g
  JOIN authorisation_user u ON u.id = g.user_id JOIN auth_permission p ON p.id = g.permission_id
 UNION ALL
SELECT 'user ' || u.username, 'is superuser or staff by flag'
  FROM authorisation_user u WHERE u.is_superuser OR u.is_staff
"""

CHECKS = (
    Check(
        "RIGHTS_TOXIC", "I10", Level.GUARDS,
        "Nobody holds two rights that nobody may hold together (dealer and checker, administrator and anything else, ...).",
        "Take one of the roles away at /admin/access, then look at everything the person did while both were held.",
        sql=_TOXIC,
    ),
    Check(
        "RIGHT_WITHOUT_ROLE", "I10", Level.GUARDS,
        "Rights and object grants belong to roles; no single person was given one, and none comes from a flag.",
        "Delete the row as the owner of the database, and find out who wrote it and what was done with it.",
        sql=_SINGLE,
    ),
)  # fmt: skip
