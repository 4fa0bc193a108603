"""All reads of this room."""

from authorisation.selectors.people import (
    find_api_key,
    find_signing_key,
    get_principal,
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
    "RequestItem",
    "count_requests",
    "facts_of",
    "find_api_key",
    "find_signing_key",
    "get_principal",
    "get_request",
    "is_live",
    "list_requests",
    "list_role_groups",
    "list_visible_desks",
    "rights_beside_role",
    "rights_of_roles",
    "token_digest",
    "visible_requests",
]
