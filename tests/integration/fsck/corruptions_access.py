"""Planted corruptions of what people hold."""

from __future__ import annotations

from tests.integration.fsck.corruption import Corruption

ACCESS = (
    Corruption(
        "RIGHTS_TOXIC", "a dealer given the checker's right",
        "INSERT INTO auth_group_permissions (group_id, permission_id) SELECT g.id, p.id FROM auth_group g, auth_permission p "
        "WHERE g.name = 'dealer' AND p.codename = 'release_order'",
    ),
    Corruption(
        "RIGHT_WITHOUT_ROLE", "given to one person",
        "INSERT INTO authorisation_user_user_permissions (user_id, permission_id) SELECT u.id, p.id "
        "FROM authorisation_user u, auth_permission p WHERE u.username = 'dealer-FSK' AND p.codename = 'judge_price'",
    ),
    Corruption(
        "RIGHT_WITHOUT_ROLE", "by flag",
        "ALTER TABLE authorisation_user DROP CONSTRAINT authorisation_no_rights_by_flag; "
        "UPDATE authorisation_user SET is_superuser = true WHERE username = 'dealer-FSK'",
        ("CONSTRAINT_MISSING",),
    ),
)  # fmt: skip
