"""What happened to anything: the search, the timeline of one subject, and both as files. Every look is kept before it is answered."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from authorisation.domain.principal import Principal
from kernel.clock import utc_now
from kernel.errors import Invalid
from operations.domain.audit_query import HOURS, KINDS, PRESETS, AuditFilter, make_filter
from operations.models import SavedSearch
from operations.permissions import require_audit
from operations.selectors.audit.dossier import Dossier, get_dossier
from operations.selectors.audit.held import not_held
from operations.selectors.audit.names import Subject, find_subjects
from operations.selectors.audit.search import AuditPage, actors_named, find_audit_page
from operations.selectors.audit.tables import entries_table
from operations.selectors.audit.timeline import make_timeline
from operations.services.drop_search import drop_search
from operations.services.make_evidence_pack import PACKABLE, make_evidence_pack
from operations.services.record_read import AUDIT_SEARCHED, TIMELINE_OPENED, record_read
from operations.services.save_search import KEPT, save_search
from operations.views.edge import page
from operations.views.exports import file_answer, handed_over, heading_for
from operations.views.positions import read_moment

MOST_EXPORTED = 10_000


@dataclass(frozen=True, slots=True)
class Asked:
    """A question as it came, with the actor behind the name in it: ``actors`` is empty for anybody, None for nobody."""

    filter: AuditFilter
    actors: tuple[str, ...] | None
    at: datetime
    before: int | None

    @property
    def midnight(self) -> datetime:
        return timezone.localtime(self.at).replace(hour=0, minute=0, second=0, microsecond=0)

    @property
    def zone(self) -> str:
        return timezone.get_current_timezone_name()


def read_asked(request: HttpRequest) -> Asked:
    """Raises Invalid for a question nobody can answer."""
    data = {name: str(value) for name, value in request.GET.items()}
    asked = make_filter(data, since=read_moment(data.get("since", "")), until=read_moment(data.get("until", "")))
    before = data.get("before", "")
    if before and not (before.isdigit() and len(before) < 19):
        raise Invalid("AUDIT_FILTER_INVALID", "That is no place in the journal.")
    actors = actors_named(asked.actor) if asked.actor else ()
    return Asked(asked, actors, utc_now(), int(before) if before else None)


@require_GET
@page
def audit(request: HttpRequest, actor: Principal) -> HttpResponse:
    """The search. One exact hit shows its summary; without a text, pages of events."""
    require_audit(actor)
    asked = read_asked(request)
    subjects = find_subjects(actor, asked.filter.names) if asked.filter.text else []
    timeline = make_timeline(_dossier(actor, subjects[0]), asked.filter) if len(subjects) == 1 else None
    found = None if asked.filter.is_empty or asked.filter.text else _page(actor, asked)
    if not asked.filter.is_empty:
        told = asked.filter.told() | {
            "found": len(subjects) if asked.filter.text else len(found.entries) if found else 0
        }
        record_read(actor=actor, at=asked.at, kind=AUDIT_SEARCHED, what=told | {"page": asked.before})
    context: dict[str, Any] = _form(request, asked) | {
        "subjects": subjects,
        "timeline": timeline,
        "found": found,
        "nobody": asked.actors is None,
        "saved": SavedSearch.objects.filter(owner_id=actor.user_id).order_by("name", "id"),
        "not_held": not_held(at=utc_now()),
    }
    if found and found.before:
        context["next"] = f"/audit?{urlencode(_query(request) | {'before': str(found.before)})}"
    return render(request, "operations/audit.html", context)


def _dossier(actor: Principal, found: Subject) -> Dossier:
    """With the identifier that led to it."""
    dossier = get_dossier(actor, found.kind, found.key)
    dossier.subject = found
    return dossier


def _page(actor: Principal, asked: Asked, limit: int = 50) -> AuditPage:
    if asked.actors is None:
        return AuditPage((), None)
    return find_audit_page(
        actor, asked.filter, actors=asked.actors, at=asked.at, midnight=asked.midnight, zone=asked.zone,
        before=asked.before, limit=limit,
    )  # fmt: skip


def _query(request: HttpRequest) -> dict[str, str]:
    return {name: str(request.GET[name]) for name in KEPT if request.GET.get(name)}


def _form(request: HttpRequest, asked: Asked) -> dict[str, Any]:
    query = _query(request)
    narrowing = {name: value for name, value in query.items() if name not in ("q", "search")}
    return {
        "asked": asked.filter,
        "query_fields": query,
        "since_text": query.get("since", ""),
        "until_text": query.get("until", ""),
        "kinds": KINDS,
        "presets": PRESETS,
        "hours": HOURS,
        "narrowing": urlencode(narrowing),
        "export_url": f"/audit/export?{urlencode(query)}",
        "at": asked.at,
        "packable": PACKABLE,
    }


@require_GET
@page
def subject(request: HttpRequest, actor: Principal, kind: str, key: str) -> HttpResponse:
    """The whole timeline of one subject, narrowed where asked."""
    require_audit(actor)
    asked = read_asked(request)
    timeline = make_timeline(get_dossier(actor, kind, key), asked.filter)
    told = asked.filter.told() | {"kind": kind, "key": key, "title": timeline.dossier.subject.title}
    record_read(actor=actor, at=asked.at, kind=TIMELINE_OPENED, what=told)
    context = _form(request, asked) | {
        "timeline": timeline,
        "subject": timeline.dossier.subject,
        "export_url": f"{timeline.dossier.subject.path}/export?{urlencode(_query(request))}",
        "not_held": not_held(at=utc_now()),
    }
    return render(request, "operations/audit_subject.html", context)


@require_GET
@page
def audit_export(request: HttpRequest, actor: Principal) -> HttpResponse:
    """The events of a question, at most 10,000, as a file."""
    require_audit(actor)
    asked = read_asked(request)
    if asked.filter.text or asked.filter.is_empty:
        raise Invalid("AUDIT_FILTER_INVALID", "Say what to export: a time span, a person, a kind or a search by name.")
    found = _page(actor, asked, MOST_EXPORTED)
    heading = heading_for(actor, "Audit", asked.filter.told(), asked.at)
    return handed_over(request, actor, entries_table(heading, found.entries))


@require_GET
@page
def subject_export(request: HttpRequest, actor: Principal, kind: str, key: str) -> HttpResponse:
    """The timeline of one subject as a file."""
    require_audit(actor)
    asked = read_asked(request)
    timeline = make_timeline(get_dossier(actor, kind, key), asked.filter)
    heading = heading_for(actor, f"Timeline {key}", asked.filter.told() | {"subject": f"{kind} {key}"}, asked.at)
    return handed_over(request, actor, entries_table(heading, timeline.entries))


@require_POST
@page
def search_save(request: HttpRequest, actor: Principal) -> HttpResponse:
    """Keep the search, then show it."""
    data = {name: str(value) for name, value in request.POST.items()}
    save_search(actor=actor, at=utc_now(), name=data.get("name", ""), query=data)
    return redirect(f"/audit?{urlencode({name: data[name] for name in KEPT if data.get(name)})}")


@require_POST
@page
def search_drop(request: HttpRequest, actor: Principal, search_id: UUID) -> HttpResponse:
    """Forget it."""
    drop_search(actor=actor, search_id=search_id)
    return redirect("audit")


@require_POST
@page
def subject_pack(request: HttpRequest, actor: Principal, kind: str, key: str) -> HttpResponse:
    """The evidence of one subject as one file: ``form`` is zip, json or pdf."""
    made = make_evidence_pack(
        actor=actor, at=utc_now(), build=settings.BUILD, kind=kind, key=key, form=str(request.POST.get("form", "zip")),
        zone=timezone.get_current_timezone_name(),
    )  # fmt: skip
    return file_answer(made.name, made.content_type, made.body, made.sha256)
