"""Rows of this room under lock. In the house's order: after idempotency, before accounts."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from authorisation.domain.four_eyes import RequestFacts
from authorisation.domain.transitions import OPEN
from authorisation.guards import LOCK
from authorisation.models import (
    AccessReview,
    ApiKey,
    AuthorisationRequest,
    Factor,
    ReviewLine,
    RoleTerm,
    SignInFailures,
    SignInLink,
    User,
)
from authorisation.selectors import facts_of
from journal.bulk import raw_cursor
from kernel.errors import NotFound


def lock_request_row(request_id: UUID) -> AuthorisationRequest:
    """The request's row, locked until commit; raises NotFound AUTHORISATION_UNKNOWN."""
    row = (
        AuthorisationRequest.objects.select_for_update(of=("self",))
        .select_related("maker", "claimed_by", "asked_by", "policy")
        .filter(pk=request_id)
        .first()
    )
    if row is None:
        raise NotFound("AUTHORISATION_UNKNOWN", "There is no such request that you may see.")
    return row


def lock_request(request_id: UUID) -> RequestFacts:
    """As facts: for the subject's room, which locks the request before its own rows."""
    return facts_of(lock_request_row(request_id))


def lock_request_rows(request_ids: Collection[UUID]) -> list[AuthorisationRequest]:
    """The requests' rows by ascending id, locked until commit, in one statement; raises NotFound if one is missing."""
    wanted = set(request_ids)
    if not wanted:
        return []
    rows = list(AuthorisationRequest.objects.select_for_update().filter(pk__in=wanted).order_by("pk"))
    if len(rows) != len(wanted):
        raise NotFound("AUTHORISATION_UNKNOWN", "There is no such request that you may see.")
    return rows


def lock_expired_rows(*, at: datetime, limit: int) -> list[AuthorisationRequest]:
    """Open requests whose time is over, the oldest first, leaving out those somebody works on."""
    return list(
        AuthorisationRequest.objects.select_for_update(of=("self",), skip_locked=True)
        .filter(state__in=OPEN, expires_at__lte=at)
        .order_by("expires_at", "id")[:limit]
    )


def lock_due_terms(*, at: datetime, limit: int) -> list[RoleTerm]:
    """Roles lent until before ``at``, the oldest first, leaving out those somebody works on."""
    return list(
        RoleTerm.objects.select_for_update(of=("self",), skip_locked=True)
        .select_related("user", "role")
        .filter(ended_at=None, until__lte=at)
        .order_by("until", "id")[:limit]
    )


def lock_rights() -> None:
    """One change of what people hold at a time, until commit: the same lock as the trigger takes. After requests."""
    with raw_cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", [LOCK])


def lock_failures(name_digest: str) -> SignInFailures | None:
    """The failures of a name, locked until commit; None when there are none."""
    return SignInFailures.objects.select_for_update().filter(pk=name_digest).first()


def lock_signed_key(key_id: UUID) -> ApiKey:
    """A key that signs, with its user, locked until commit; raises NotFound API_KEY_UNKNOWN."""
    key = (
        ApiKey.objects.select_for_update(of=("self",))
        .select_related("user")
        .filter(pk=key_id, scheme=ApiKey.Scheme.SIGNED)
        .first()
    )
    if key is None:
        raise NotFound("API_KEY_UNKNOWN", "There is no such key.")
    return key


def lock_review(review_id: UUID) -> AccessReview:
    """An access review, locked until commit, behind its request; raises NotFound REVIEW_UNKNOWN."""
    row = AccessReview.objects.select_for_update().filter(pk=review_id).first()
    if row is None:
        raise NotFound("REVIEW_UNKNOWN", "There is no such access review that you may see.")
    return row


def lock_review_lines(review_id: UUID, numbers: Collection[int] | None = None) -> list[ReviewLine]:
    """Lines of a review by number, locked until commit: those numbered, or all."""
    rows = (
        ReviewLine.objects.select_for_update(of=("self",)).select_related("user", "person").filter(review_id=review_id)
    )
    if numbers is not None:
        rows = rows.filter(number__in=set(numbers))
    return list(rows.order_by("number"))


def lock_factors(user_id: int) -> list[Factor]:
    """The second factors of a person, the oldest first, locked until commit: a code is taken by one try alone."""
    return list(Factor.objects.select_for_update().filter(user_id=user_id).order_by("created_at", "id"))


def lock_user(user_id: int) -> User:
    """A user's row, locked until commit; raises NotFound USER_UNKNOWN."""
    row = User.objects.select_for_update().filter(pk=user_id).first()
    if row is None:
        raise NotFound("USER_UNKNOWN", "There is no such person.")
    return row


def hold_user(user_id: int) -> User:
    """A user as it is until commit: nobody cuts it off meanwhile, and whoever only refers to it waits for nothing.

    Raises NotFound USER_UNKNOWN.
    """
    row = User.objects.select_for_update(no_key=True).filter(pk=user_id).first()
    if row is None:
        raise NotFound("USER_UNKNOWN", "There is no such person.")
    return row


def lock_link(digest: str) -> SignInLink | None:
    """A one-time link by the digest of its token, locked until commit: of two who use it one is first."""
    return SignInLink.objects.select_for_update(of=("self",)).select_related("user").filter(digest=digest).first()
