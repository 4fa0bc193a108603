"""The exceptions workbench: the queue beside one item, what people do about it, one at a time or several together."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.views.decorators.http import require_GET, require_POST

from authorisation.domain.principal import Principal
from kernel.clock import utc_now
from kernel.errors import Invalid, NotFound, Refused
from operations.domain.exception_evidence import stated
from operations.domain.exception_kinds import CAUSES, GROUPS
from operations.forms import read_moment
from operations.models import ExceptionItem
from operations.permissions import CLOSE_EXCEPTION, FORCE_CLOSE_EXCEPTION, WORK_EXCEPTION
from operations.selectors.exception_actions import list_bites, list_buttons, list_links, suggestion_of
from operations.selectors.exception_subjects import subjects_of
from operations.selectors.exceptions import (
    VIEWS,
    Filters,
    count_exceptions,
    get_age,
    get_exception,
    list_exceptions,
    list_history,
)
from operations.selectors.suspense import suspense_of
from operations.services._exception_acts import Acted
from operations.services.act_on_exceptions import ASKED_TWICE, act_on_exceptions
from operations.services.assign_exception import assign_exception
from operations.services.await_outside import await_outside
from operations.services.close_exception import close_exception, why_not_closed
from operations.services.comment_exception import comment_exception
from operations.services.escalate_exception import escalate_exception
from operations.services.force_close_exception import force_close_exception, why_not_forced
from operations.services.hand_back_exception import hand_back_exception
from operations.services.label_exception import label_exception
from operations.services.link_exception import KINDS as LINKS
from operations.services.link_exception import link_exception
from operations.services.see_exception import see_exception
from operations.services.snooze_exception import snooze_exception
from operations.services.take_exception import take_exception
from operations.views.edge import page

DETAIL = "operations/parts/exception_detail.html"
Terms = dict[str, Any]


@require_GET
@page
def exceptions(request: HttpRequest, actor: Principal) -> HttpResponse:
    """A view of the queue, worst first, and the chosen item beside it; with ``part`` the list alone."""
    view = request.GET.get("view", "all")
    view = view if view in VIEWS else "all"
    filters = Filters(request.GET.get("kind", "")[:60], request.GET.get("label", "")[:24])
    at = utc_now()
    listed = list_exceptions(actor=actor, view=view, filters=filters, after=request.GET.get("after", "")[:120])
    chosen = request.GET.get("id", "")
    context: Terms = {
        "items": listed.items,
        "more": listed.more,
        "after": request.GET.get("after", "")[:120],
        "counted": count_exceptions(actor=actor, view=view),
        "view": view,
        "views": VIEWS,
        "filters": filters,
        "groups": GROUPS,
        "causes": CAUSES,
        "at": at,
        "asked_twice": ASKED_TWICE,
        "works": WORK_EXCEPTION in actor.rights,
        "may_close": CLOSE_EXCEPTION in actor.rights,
        "chosen": chosen,
        "subjects": subjects_of(listed.items),
    }
    if request.GET.get("part"):
        return render(request, "operations/parts/exception_list.html", context)
    if chosen or listed.items:
        item = get_exception(actor=actor, item_id=_uuid(chosen)) if chosen else listed.items[0]
        context |= detail_of(get_exception(actor=actor, item_id=item.pk), actor) | {"chosen": str(item.pk)}
    return render(request, "operations/exceptions.html", context)


@require_GET
@page
def exception_detail(request: HttpRequest, actor: Principal, item_id: UUID) -> HttpResponse:
    """What is wrong, what we believe, the evidence, and what may be done; that it was opened is kept until two people did."""
    item = get_exception(actor=actor, item_id=item_id)
    see_exception(actor=actor, at=utc_now(), item=item)
    item = get_exception(actor=actor, item_id=item_id)
    return render(request, DETAIL if request.GET.get("part") else "operations/exception.html", detail_of(item, actor))


@require_POST
@page
def act(request: HttpRequest, actor: Principal, item_id: UUID, act: str) -> HttpResponse:
    """One act on one item; the item drawn anew with what came of it."""
    doer = ACTS.get(act)
    if doer is None:
        raise NotFound("ACT_UNKNOWN", "There is no such thing to do with an exception.")
    done = doer(request.POST, {"actor": actor, "at": utc_now(), "item_id": item_id})
    try:
        item = get_exception(actor=actor, item_id=item_id)
    except NotFound as gone:  # given to a group this actor does not see
        raise Refused("EXCEPTION_GONE", f"{done.sentence} You do not see it any more.") from gone
    response = render(request, DETAIL, detail_of(item, actor) | {"told": done.sentence})
    response.headers["HX-Trigger"] = "oms:exceptions"
    return response


@require_POST
@page
def together(request: HttpRequest, actor: Principal) -> HttpResponse:
    """One act on several items, an outcome each; above ten their count is typed."""
    data = request.POST
    name = str(data.get("act", ""))
    reader = TOGETHER.get(name)
    if reader is None:
        raise Invalid("MANY_INVALID", "Choose what to do with them.")
    items = [_seen(text) for text in data.getlist("item")]
    typed = str(data.get("typed", "")).strip()
    outcomes = act_on_exceptions(
        actor=actor,
        at=utc_now(),
        act=name,
        items=items,
        typed=int(typed) if typed.isdecimal() else None,
        terms=reader(data),
    )
    context = {"outcomes": outcomes, "done": sum(not one.code for one in outcomes)}
    response = render(request, "operations/parts/exceptions_together.html", context)
    response.headers["HX-Trigger"] = "oms:exceptions"
    return response


def detail_of(item: ExceptionItem, actor: Principal) -> Terms:
    """What the detail shows of an item, with why a control is not this actor's."""
    at = utc_now()
    works = WORK_EXCEPTION in actor.rights
    reads = "" if works else "Your role only reads exceptions."
    return {
        "item": item,
        "at": at,
        "age": get_age(item, at=at),
        "history": list_history(item),
        "buttons": list_buttons(item, actor),
        "subject": subjects_of([item])[item.pk],
        "suggested": suggestion_of(item, actor) if item.is_open else "",
        "bites": list_bites(item),
        "links": list_links(item, actor),
        "compared": _compared(item),
        "evidence": stated(item.evidence),
        "groups": GROUPS,
        "causes": CAUSES,
        "link_kinds": LINKS,
        "reads": reads,
        "is_mine": item.owner_id == actor.user_id,
        "why_not_closed": reads or _why_not_closed(item, actor),
        "why_not_forced": reads or _why_not_forced(item, actor),
        **suspense_of(item, actor),
    }


def _why_not_closed(item: ExceptionItem, actor: Principal) -> str:
    if CLOSE_EXCEPTION not in actor.rights:
        return "Your role may not close exceptions."
    if item.owner is not None and item.owner_id != actor.user_id:
        return f"{item.owner.username} works on it. Take it first."
    return why_not_closed(item)


def _why_not_forced(item: ExceptionItem, actor: Principal) -> str:
    if FORCE_CLOSE_EXCEPTION not in actor.rights:
        return "Your role may not end an exception whose matter still stands."
    return why_not_forced(item, actor)


def _compared(item: ExceptionItem) -> list[tuple[str, str, str, bool]]:
    """What we have beside what the other side has, field by field, where the evidence holds both."""
    ours, theirs = item.evidence.get("ours"), item.evidence.get("theirs")
    if not isinstance(ours, dict) or not isinstance(theirs, dict):
        return []
    names = list(dict.fromkeys([*ours, *theirs]))
    return [
        (name, str(ours.get(name, "\u2014")), str(theirs.get(name, "\u2014")), ours.get(name) != theirs.get(name))
        for name in names
    ]


def _version(data: QueryDict) -> int:
    text = str(data.get("version", ""))
    if not text.isdecimal():
        raise Invalid("VERSION_MISSING", "Say which version of the exception you saw.", {"version": ["Needed."]})
    return int(text)


def _seen(text: str) -> tuple[UUID, int]:
    key, _, version = text.partition(":")
    if not version.isdecimal():
        raise Invalid("MANY_INVALID", "An exception is named by its id and the version seen.")
    return _uuid(key), int(version)


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise Invalid("EXCEPTION_UNKNOWN", "That is not the id of an exception.") from error


def _assign_terms(data: QueryDict) -> Terms:
    return {name: str(data.get(name, "")) for name in ("owner", "group", "reason")}


def _label_terms(data: QueryDict) -> Terms:
    return {"add": str(data.get("label", "")).replace(",", " ").split()[:20], "drop": data.getlist("drop")[:20]}


def _snooze_terms(data: QueryDict) -> Terms:
    until: datetime | None = read_moment(str(data.get("until", "")), "until")
    return {"until": until, "reason": str(data.get("reason", ""))}


def _close_terms(data: QueryDict) -> Terms:
    return {"cause": str(data.get("cause", "")), "text": str(data.get("text", ""))}


Doer = Callable[[QueryDict, Terms], Acted]
ACTS: dict[str, Doer] = {
    "take": lambda data, who: take_exception(**who, version=_version(data)),
    "assign": lambda data, who: assign_exception(**who, version=_version(data), **_assign_terms(data)),
    "hand-back": lambda data, who: hand_back_exception(
        **who, version=_version(data), reason=str(data.get("reason", ""))
    ),
    "escalate": lambda data, who: escalate_exception(**who, version=_version(data), reason=str(data.get("reason", ""))),
    "comment": lambda data, who: comment_exception(**who, text=str(data.get("text", ""))),
    "label": lambda data, who: label_exception(**who, version=_version(data), **_label_terms(data)),
    "link": lambda data, who: link_exception(
        **who, version=_version(data), kind=str(data.get("link", "")), key=str(data.get("key", ""))
    ),
    "snooze": lambda data, who: snooze_exception(**who, version=_version(data), **_snooze_terms(data)),
    "wait": lambda data, who: await_outside(**who, version=_version(data), whom=str(data.get("whom", ""))),
    "close": lambda data, who: close_exception(**who, version=_version(data), **_close_terms(data)),
    "force-close": lambda data, who: force_close_exception(
        **who, version=_version(data), reason=str(data.get("reason", ""))
    ),
}
TOGETHER: dict[str, Callable[[QueryDict], Terms]] = {
    "take": lambda data: {},
    "assign": _assign_terms,
    "label": _label_terms,
    "snooze": _snooze_terms,
    "close": _close_terms,
}
