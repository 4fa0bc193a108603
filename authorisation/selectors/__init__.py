"""All reads of this room."""

from authorisation.selectors.access import (
    Affected,
    PersonAccess,
    affected_by,
    list_grants,
    list_people_access,
    objects_of_right,
    require_change_possible,
    short_of,
)
from authorisation.selectors.people import (
    find_api_key,
    find_signing_key,
    get_principal,
    holders_by_right,
    is_live,
    list_role_groups,
    list_visible_desks,
    rights_beside_role,
    rights_of_roles,
    token_digest,
)
from authorisation.selectors.requests import (
    RequestItem,
    count_requests,
    facts_of,
    get_request,
    list_requests,
    visible_requests,
)

__all__ = [
    "Affected",
    "PersonAccess",
    "RequestItem",
    "affected_by",
    "count_requests",
    "facts_of",
    "find_api_key",
    "find_signing_key",
    "get_principal",
    "get_request",
    "holders_by_right",
    "is_live",
    "list_grants",
    "list_people_access",
    "list_requests",
    "list_role_groups",
    "list_visible_desks",
    "objects_of_right",
    "require_change_possible",
    "rights_beside_role",
    "rights_of_roles",
    "short_of",
    "token_digest",
    "visible_requests",
]
