"""SQL of the guards of this room, made from its tables. For migrations; each function returns ``(forward, reverse)``."""

from __future__ import annotations

from collections.abc import Iterable

from journal.triggers import Sql

LOCK = "authorisation.rights"
"""Whoever changes what somebody holds takes this lock of the transaction first, so that two changes see each other."""


def toxic_table(rows: Iterable[tuple[str, str, str]]) -> Sql:
    """The pairs as a function of the database. A changed table needs a migration that makes it again (fsck tells)."""
    values = ",\n       ".join("('{}', '{}', '{}')".format(*row) for row in rows)
    forward = f"""
CREATE OR REPLACE FUNCTION authorisation_toxic_pairs() RETURNS TABLE (pair text, one text, other text)
LANGUAGE sql IMMUTABLE AS $$
VALUES {values}
$$
"""  # noqa: S608
    return forward, "DROP FUNCTION authorisation_toxic_pairs()"


TOXIC_TRIGGERS: Sql = (
    f"""
CREATE FUNCTION authorisation_refuse_toxic() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    hit record;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('{LOCK}'));
    WITH concerned AS (
        SELECT NEW.group_id AS group_id, NULL::bigint AS user_id WHERE TG_TABLE_NAME = 'auth_group_permissions'
         UNION ALL
        SELECT NULL, ug.user_id FROM authorisation_user_groups ug WHERE ug.group_id = NEW.group_id
    ), held AS (
        SELECT c.user_id, c.group_id, p.codename
          FROM concerned c
          LEFT JOIN authorisation_user_groups ug ON ug.user_id = c.user_id
          JOIN auth_group_permissions gp ON gp.group_id = coalesce(c.group_id, ug.group_id)
          JOIN auth_permission p ON p.id = gp.permission_id
    )
    SELECT t.pair, t.one, t.other, a.user_id, a.group_id INTO hit
      FROM authorisation_toxic_pairs() t
      JOIN held a ON a.codename = t.one
      JOIN held b ON b.codename = t.other
       AND (a.user_id, a.group_id) IS NOT DISTINCT FROM (b.user_id, b.group_id)
     LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION '%: % and % may not be held together (user %, role %)',
            hit.pair, hit.one, hit.other, hit.user_id, hit.group_id USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER authorisation_user_groups_toxic AFTER INSERT OR UPDATE ON authorisation_user_groups
    DEFERRABLE INITIALLY IMMEDIATE FOR EACH ROW EXECUTE FUNCTION authorisation_refuse_toxic();
CREATE CONSTRAINT TRIGGER auth_group_permissions_toxic AFTER INSERT OR UPDATE ON auth_group_permissions
    DEFERRABLE INITIALLY IMMEDIATE FOR EACH ROW EXECUTE FUNCTION authorisation_refuse_toxic()
""",  # noqa: S608
    """
DROP TRIGGER authorisation_user_groups_toxic ON authorisation_user_groups;
DROP TRIGGER auth_group_permissions_toxic ON auth_group_permissions;
DROP FUNCTION authorisation_refuse_toxic()
""",
)

ROLES_ONLY: Sql = (
    """
CREATE FUNCTION authorisation_refuse_single() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'rights are given to roles, never to a single person (%)', TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER guardian_userobjectpermission_roles_only BEFORE INSERT OR UPDATE ON guardian_userobjectpermission
    FOR EACH ROW EXECUTE FUNCTION authorisation_refuse_single();
CREATE TRIGGER authorisation_user_user_permissions_roles_only
    BEFORE INSERT OR UPDATE ON authorisation_user_user_permissions
    FOR EACH ROW EXECUTE FUNCTION authorisation_refuse_single()
""",
    """
DROP TRIGGER guardian_userobjectpermission_roles_only ON guardian_userobjectpermission;
DROP TRIGGER authorisation_user_user_permissions_roles_only ON authorisation_user_user_permissions;
DROP FUNCTION authorisation_refuse_single()
""",
)
