"""Who may do what: people and rights, one person, one role; changes are asked for here, and a person is cut off here."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib.auth.models import Group, Permission
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from authorisation.domain.keepers import LEAST_HOLDERS
from authorisation.domain.principal import ADMINISTER_USERS, Principal
from authorisation.domain.right_change import OBJECT_RIGHTS, ChangeKind, NewUser, RightChange
from authorisation.domain.toxic import HARMLESS, PAIRS
from authorisation.models import Desk, User
from authorisation.selectors import list_grants, list_people_access, objects_of_right
from authorisation.services.request_user_right import request_user_right
from kernel.clock import utc_now
from kernel.errors import Invalid, NotFound
from operations.services.offboard_user import offboard_user
from operations.views.edge import actor_may, page
from orders.selectors.owned import count_owned, find_heirs
from orders.services.reown_orders import reown_orders
from orders.services.watch_owners import watch_owners

WHY_NOT = "Changes of rights are asked for by administrators."


@require_GET
@page
def access(request: HttpRequest, actor: Principal) -> HttpResponse:
    """Everybody by right; with who holds it, and what is wrong."""
    at = utc_now()
    people = list_people_access(at=at)
    rights = sorted(HARMLESS.union(*(pair.one | pair.other for pair in PAIRS)))
    names = dict(Permission.objects.filter(codename__in=rights).values_list("codename", "name"))
    held = {right: sum(one.user.is_active and right in one.rights for one in people) for right in rights}
    context: dict[str, Any] = {
        "people": people,
        "rights": [(right, names.get(right, right), held[right], LEAST_HOLDERS.get(right, 0)) for right in rights],
        "roles": list(Group.objects.order_by("name")),
        "desks": Desk.objects.order_by("code"),
        "personas": User.Persona.choices,
        "pairs": PAIRS,
    }
    return render(request, "operations/access.html", context | _may(actor))


@require_GET
@page
def person(request: HttpRequest, actor: Principal, user_id: int) -> HttpResponse:
    """One person: roles, since when, by whom, until when, and the forms."""
    found = next((one for one in list_people_access(at=utc_now()) if one.user.pk == user_id), None)
    if found is None:
        raise NotFound("USER_UNKNOWN", "There is no such person.")
    held = {role.name for role in found.roles}
    owned = count_owned(user_id)
    context = {
        "one": found,
        "owned": owned,
        "owned_count": sum(place.orders for place in owned),
        "heirs": find_heirs(user_id, owned),
        "others": [role for role in Group.objects.order_by("name") if role.name not in held],
    }
    return render(request, "operations/access_person.html", context | _may(actor))


@require_GET
@page
def role(request: HttpRequest, actor: Principal, role_id: int) -> HttpResponse:
    """One role: its rights, what it was granted, who holds it, and the forms."""
    found = Group.objects.filter(pk=role_id).first()
    if found is None:
        raise NotFound("ROLE_UNKNOWN", "There is no such role.")
    has = set(found.permissions.values_list("codename", flat=True))
    known = HARMLESS.union(*(pair.one | pair.other for pair in PAIRS))
    objects = {right: objects_of_right(right) for right in OBJECT_RIGHTS}
    granted = list_grants([found.pk]).get(found.pk, {})
    rows = Permission.objects.filter(codename__in=known).order_by("codename").values_list("codename", "name")
    context = {
        "role": found,
        "rights": [(right, name, right in has) for right, name in rows],
        "grants": [
            (right, [(item, item.pk in granted.get(right, ())) for item in objects[right]]) for right in OBJECT_RIGHTS
        ],
        "members": User.objects.filter(groups=found).order_by("username"),
    }
    return render(request, "operations/access_role.html", context | _may(actor))


@require_POST
@page
def ask(request: HttpRequest, actor: Principal) -> HttpResponse:
    """Ask a second administrator for a change; leads to the question."""
    asked = request_user_right(actor=actor, at=utc_now(), change=read_change(request.POST))
    return redirect(f"/approvals?view=raised&id={asked.authorisation_id}")


@require_POST
@page
def cut_off(request: HttpRequest, actor: Principal, user_id: int) -> HttpResponse:
    """End everything of a person now. The name is typed, so that no other is meant."""
    typed = request.POST.get("typed", "").strip()
    if not User.objects.filter(pk=user_id, username=typed).exists():
        raise Invalid("NAME_NOT_TYPED", "Type the name of the person to say that you mean no other.")
    offboard_user(
        actor=actor,
        at=utc_now(),
        user_id=user_id,
        reason=request.POST.get("reason", ""),
        successor_id=_read_successor(request.POST, needed=False),
    )
    return redirect("access-person", user_id=user_id)


@require_POST
@page
def reown(request: HttpRequest, actor: Principal, user_id: int) -> HttpResponse:
    """Give what a person who was cut off still owns to somebody who may trade it."""
    at, successor_id = utc_now(), _read_successor(request.POST, needed=True)
    assert successor_id is not None
    reason = request.POST.get("reason", "")
    reown_orders(actor=actor, at=at, user_id=user_id, successor_id=successor_id, reason=reason)
    watch_owners(at=at)
    return redirect("access-person", user_id=user_id)


def _read_successor(data: Any, *, needed: bool) -> int | None:
    text = str(data.get("successor", ""))
    if not text and not needed:
        return None
    if not (text.isascii() and text.isdecimal() and len(text) < 10):
        raise Invalid(
            "SUCCESSOR_INVALID", "Choose who takes the orders over.", {"successor": ["There is no such user."]}
        )
    return int(text)


def read_change(data: Any) -> RightChange:
    """The change as typed; raises Invalid CHANGE_INVALID for what cannot be read."""
    kind, user_id = str(data.get("change", "")), str(data.get("user", ""))
    objects = data.getlist("objects")
    faults: dict[str, list[str]] = {}
    if kind not in set(ChangeKind):
        faults["change"] = ["Choose a change."]
    if user_id and not (user_id.isascii() and user_id.isdecimal() and len(user_id) < 10):
        faults["user"] = ["There is no such user."]
    if not all(item.isascii() and item.isdecimal() and len(item) < 10 for item in objects):
        faults["objects"] = ["There is no such object."]
    until = _read_until(str(data.get("until", "")), faults)
    if faults:
        raise Invalid("CHANGE_INVALID", "The change cannot be asked for so.", faults)
    new = kind == ChangeKind.ADD_USER
    return RightChange(
        kind=ChangeKind(kind),
        reason=str(data.get("reason", "")),
        user_id=int(user_id) if user_id else None,
        role="" if new else str(data.get("role", "")),
        until=until,
        rights=tuple(data.getlist("rights")),
        right=str(data.get("right", "")),
        objects=tuple(int(item) for item in objects),
        person=_read_person(data) if new else None,
    )


def _read_until(text: str, faults: dict[str, list[str]]) -> datetime | None:
    if not text:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        faults["until"] = ["A date and a time."]
        return None
    zone = timezone.get_current_timezone()
    return (found if found.tzinfo else found.replace(tzinfo=ZoneInfo(str(zone)))).astimezone(UTC)


def _read_person(data: Any) -> NewUser:
    return NewUser(
        username=str(data.get("username", "")).strip()[:150],
        first_name=str(data.get("first_name", "")).strip()[:150],
        last_name=str(data.get("last_name", "")).strip()[:150],
        persona=str(data.get("persona", "dealer")),
        service=data.get("service") == "yes",
        desk=str(data.get("desk", "")),
        responsible=str(data.get("responsible", "")).strip(),
        roles=tuple(data.getlist("role")),
    )


def _may(actor: Principal) -> dict[str, str]:
    return {"why_not": "" if actor_may(actor, ADMINISTER_USERS) else WHY_NOT}
