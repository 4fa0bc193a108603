"""Saved schemes: who sees which, the newest and the older versions, what uses them, and which of their lines somebody may see.

A scheme exists for whoever sees its desk; one of no desk for everybody. A line exists for whoever sees the group of its account.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from django.db.models import Count, Max, Q, QuerySet

from accounts.selectors import visible_group_ids
from allocations.domain.schemes import SCHEME
from allocations.models import Block, Scheme, WashAccount
from authorisation.domain.principal import Principal
from authorisation.domain.transitions import OPEN
from authorisation.models import AuthorisationRequest
from journal.bulk import raw_cursor
from journal.domain.pg_text import array_literal
from kernel.errors import NotFound
from orders.permissions import visible_desks

_SEEN = """
SELECT array_agg(a.code) FROM accounts_tradingaccount a
 WHERE a.code = ANY(%(codes)s::text[]) AND (%(everyone)s OR a.group_id = ANY(%(groups)s::bigint[]))
"""


@dataclass(frozen=True, slots=True)
class SchemeUse:
    """How many blocks were booked by a scheme, and of which trade date the newest is."""

    blocks: int
    last: date


def visible_schemes(actor: Principal) -> QuerySet[Scheme]:
    """Versions of schemes that exist for the actor. Our own processes see all."""
    rows = Scheme.objects.select_related("desk", "wash_account__account")
    return rows if actor.is_process else rows.filter(Q(desk=None) | Q(desk_id__in=visible_desks(actor)))


def newest_schemes(actor: Principal) -> list[Scheme]:
    """The newest version of each, by code; ended ones too."""
    return list(visible_schemes(actor).order_by("code", "-version").distinct("code"))


def get_scheme(actor: Principal, code: str) -> Scheme:
    """The newest version; raises NotFound SCHEME_UNKNOWN where the actor may not know of it."""
    found = visible_schemes(actor).filter(code=code.strip().upper()[:24]).order_by("-version").first()
    if found is None:
        raise NotFound("SCHEME_UNKNOWN", f"There is no scheme {code[:24]!r} that you may see.")
    return found


def versions_of(actor: Principal, code: str) -> list[Scheme]:
    """Every version, the newest first."""
    return list(visible_schemes(actor).filter(code=code).order_by("-version"))


def last_scheme(code: str) -> Scheme | None:
    """The newest version whoever may see it: for what is decided."""
    return Scheme.objects.select_related("desk", "wash_account__account").filter(code=code).order_by("-version").first()


def body_of(scheme: Scheme) -> dict[str, Any]:
    """A version in the plain form it was asked in (``domain.schemes.read_scheme``)."""
    return {
        "code": scheme.code,
        "name": scheme.name,
        "desk": scheme.desk.code if scheme.desk else "",
        "method": scheme.method,
        "lines": scheme.lines,
        "parameters": scheme.parameters,
        "wash_account": scheme.wash_account.account.code if scheme.wash_account else "",
        "strategy": scheme.strategy,
        "books_alone": scheme.books_alone,
    }


def other_default(body: Mapping[str, Any]) -> Scheme | None:
    """The scheme that is the default of the same account and strategy already; None: there is no other."""
    if not body["wash_account"]:
        return None
    newest = Scheme.objects.exclude(code=body["code"]).order_by("code", "-version").distinct("code")
    same = Scheme.objects.filter(
        pk__in=[row.pk for row in newest], ended=False, wash_account__account__code=body["wash_account"],
        strategy=body["strategy"],
    )  # fmt: skip
    return same.order_by("code").first()


def uses_of(codes: Sequence[str]) -> dict[str, SchemeUse]:
    """By code, of those that any block was booked by."""
    rows = Block.objects.filter(scheme__in=codes, round__gt=0).values("scheme")
    counted = rows.annotate(blocks=Count("pk"), last=Max("trade_date")).order_by()
    return {row["scheme"]: SchemeUse(row["blocks"], row["last"]) for row in counted}


def subject_of(code: str) -> str:
    """What requests about a scheme name it."""
    return f"{SCHEME}:{code}"


def waiting_for(codes: Sequence[str]) -> dict[str, UUID]:
    """By code, the request that waits for a second person."""
    subjects = {subject_of(code): code for code in codes}
    rows = AuthorisationRequest.objects.filter(subject_type=SCHEME, subject_id__in=subjects, state__in=OPEN)
    return {subjects[subject]: request_id for subject, request_id in rows.values_list("subject_id", "id")}


def list_wash_accounts(actor: Principal) -> list[WashAccount]:
    """Accounts of desks the actor sees that a scheme can be the default of, by code."""
    rows = WashAccount.objects.select_related("account", "desk").filter(desk_id__in=visible_desks(actor))
    return list(rows.order_by("account__code"))


def seen_lines(actor: Principal, lines: Sequence[Mapping[str, Any]]) -> tuple[list[Mapping[str, Any]], int]:
    """The lines of accounts the actor may see, in their order, and how many others there are."""
    if not lines:
        return [], 0
    values = {
        "codes": array_literal("text", [line["account"] for line in lines]),
        "everyone": actor.is_process,
        "groups": [] if actor.is_process else sorted(visible_group_ids(actor)),
    }
    with raw_cursor(binary=True) as cursor:
        cursor.execute(_SEEN, values)
        seen = set(cursor.fetchall()[0][0] or ())
    shown = [line for line in lines if line["account"] in seen]
    return shown, len(lines) - len(shown)
