"""A timeline and what belongs to it as tables and as plain data: for files of every form."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from authorisation.domain.principal import Principal
from authorisation.models import AuthorisationRequest, User
from kernel.canonical import jsonable
from operations.exporting import Column, Heading, Table, make_table
from operations.exporting.table import Cell
from operations.selectors.audit.dossier import Dossier
from operations.selectors.audit.seeing import orders_seen
from operations.selectors.audit.timeline import Entry, Timeline

ENTRIES = (
    Column("at", "Happened at"), Column("recorded_at", "Recorded at"), Column("source", "From"), Column("kind", "Kind"),
    Column("what", "What"), Column("who", "Who"), Column("place", "Where it is kept"), Column("position", "Position"),
    Column("note", "Note"), Column("correlation", "Correlation"), Column("id", "Event id"),
)  # fmt: skip
MESSAGES = (
    Column("id", "Message"), Column("recorded_at", "Recorded at"), Column("direction", "Direction"), Column("session", "Session"),
    Column("number", "Number"), Column("name", "Kind"), Column("raw", "Raw, parted by bars"),
)  # fmt: skip
CHECKS = (
    Column("request", "Request"), Column("at", "At"), Column("code", "Check"), Column("verdict", "Answer"),
    Column("sentence", "Sentence"),
)  # fmt: skip
APPROVALS = (
    Column("id", "Id"), Column("kind", "Type"), Column("summary", "Asked for"), Column("maker", "By"), Column("asked_at", "At"),
    Column("state", "State"), Column("checker", "Decided by"), Column("verdict", "Verdict"), Column("decided_at", "At"),
    Column("reason", "Why"),
)  # fmt: skip


def entries_table(heading: Heading, entries: Sequence[Entry]) -> Table:
    """Lines as rows: who, what, when, and where each is kept."""
    rows = [
        (
            entry.at, entry.recorded_at, entry.source, entry.event.kind if entry.event else "", entry.line.text, entry.who,
            entry.place, entry.event.position if entry.event else None,
            "; ".join(filter(None, (entry.note, "arrived late" if entry.late else ""))),
            str(entry.event.correlation_id) if entry.event else "", str(entry.event.id) if entry.event else "",
        )
        for entry in entries
    ]  # fmt: skip
    return make_table(heading, ENTRIES, rows)


def messages_table(heading: Heading, dossier: Dossier) -> Table:
    """Raw messages as they stand on the wire, SOH shown as a bar."""
    rows = [
        (one.id, one.recorded_at, one.direction, one.session, one.msg_seq_num, one.name, one.raw.replace("\x01", "|"))
        for one in dossier.messages
    ]
    return make_table(heading, MESSAGES, rows)


def checks_table(heading: Heading, dossier: Dossier) -> Table:
    """Every answer of every request."""
    rows = [
        (
            request.cl_ord_id,
            request.captured_at,
            check["code"],
            check["verdict"],
            check.get("sentence", "") + (f" (acknowledged: {check['reason']})" if check.get("reason") else ""),
        )
        for request in dossier.requests
        for check in request.checks
    ]
    return make_table(heading, CHECKS, rows)


def approvals_table(heading: Heading, dossier: Dossier) -> Table:
    """A row a decision; a request without one has a row of its own."""
    rows: list[tuple[Cell, ...]] = []
    for row in dossier.approvals:
        asked = (str(row.pk), row.kind, row.summary, row.maker.username, row.created_at, str(row.state))
        decisions: list[tuple[Cell, ...]] = [
            (one.checker.username, one.verdict, one.decided_at, " · ".join(filter(None, (one.reason_code, one.reason))))
            for one in row.decisions.all()
        ]
        rows += [(*asked, *decided) for decided in decisions or [("", "", None, row.outcome)]]
    return make_table(heading, APPROVALS, rows)


def checks_told(actor: Principal, dossier: Dossier) -> list[dict[str, Any]]:
    """Each request with its answers and the facts they were given on; references of orders one may not see are left out."""
    facts = [request.decision or {} for request in dossier.requests]
    named = {peer.get("ref") for one in facts for peer in _peers(one) if peer.get("ref")}
    seen = set(orders_seen(actor).filter(ref__in=named).values_list("ref", flat=True))
    for one in facts:
        for peer in _peers(one):
            if peer.get("ref") not in seen:
                peer["ref"] = ""
    return [
        jsonable(
            {
                "request_id": request.pk, "kind": request.kind, "cl_ord_id": request.cl_ord_id, "state": request.state,
                "maker": request.maker, "on_behalf_of": request.on_behalf_of, "captured_at": request.captured_at,
                "terms": request.payload, "checks": request.checks, "acknowledgements": request.acknowledgements,
                "facts": decision or None, "outcome": [request.outcome_code, request.outcome_text],
            }
        )
        for request, decision in zip(dossier.requests, facts, strict=True)
    ]  # fmt: skip


def _peers(kept: dict[str, Any]) -> list[dict[str, Any]]:
    conduct = (kept.get("facts") or {}).get("conduct") or {}
    return [*(conduct.get("twins") or ()), *(conduct.get("opposite") or ())]


def approvals_told(dossier: Dossier) -> list[dict[str, Any]]:
    """Each request for a second person, whole: what was asked in every version, who asked, who decided on which."""
    return [_approval_told(row) for row in dossier.approvals]


def _approval_told(row: AuthorisationRequest) -> dict[str, Any]:
    told: dict[str, Any] = jsonable(
        {
            "id": row.pk, "kind": row.kind, "summary": row.summary, "subject": [row.subject_type, row.subject_id],
            "subject_version": row.subject_version, "version": row.version, "payload": row.payload,
            "payload_hash": row.payload_hash, "value": row.value, "currency": row.currency, "reasons": row.reasons,
            "maker": row.maker.username, "maker_person": row.maker_person.username, "on_behalf_of": row.on_behalf_of,
            "checkers": row.checkers, "right": row.right, "question": row.question, "answer": row.answer,
            "state": str(row.state), "outcome": row.outcome, "created_at": row.created_at, "expires_at": row.expires_at,
            "closed_at": row.closed_at,
            "earlier_versions": [
                {
                    "version": one.version, "payload": one.payload, "payload_hash": one.payload_hash, "summary": one.summary,
                    "question": one.question, "asked_by": one.asked_by.username, "asked_at": one.asked_at,
                    "replaced_at": one.replaced_at,
                }
                for one in sorted(row.versions.all(), key=lambda one: one.version)
            ],
            "decisions": [
                {
                    "version": one.version, "checker": one.checker.username, "checker_person": one.checker_person.username,
                    "on_behalf_of": one.on_behalf_of, "verdict": one.verdict, "reason_code": one.reason_code,
                    "reason": one.reason, "payload_hash": one.payload_hash, "decided_at": one.decided_at,
                }
                for one in row.decisions.all()
            ],
        }
    )  # fmt: skip
    return told


def bookings_told(dossier: Dossier) -> list[dict[str, Any]]:
    """Changes of cash and stock, each naming its event."""
    return [
        jsonable(
            {
                "id": row.pk, "event_id": row.event_id, "account_id": row.account_id, "kind": row.kind, "charge": row.charge,
                "layer": row.layer, "currency": row.currency, "instrument_id": row.instrument_id, "amount": row.amount,
                "trade_date": row.trade_date, "settlement_date": row.settlement_date, "recorded_at": row.recorded_at,
            }
        )
        for row in dossier.bookings
    ]  # fmt: skip


def people_told(timeline: Timeline) -> list[dict[str, Any]]:
    """Who had a part in it, and what they are now; what they might do then is in the events of roles and grants."""
    return [
        {
            "user": row.username, "actor": row.actor, "name": row.get_full_name(), "kind": row.kind, "persona": row.persona,
            "desk": row.desk.code if row.desk else None, "active": row.is_active,
            "roles": sorted(group.name for group in row.groups.all()),
        }
        for row in _users(timeline.people)
    ]  # fmt: skip


def _users(names: Collection[str]) -> list[User]:
    plain = {name.partition(" (")[0] for part in names for name in part.split(" for ")}
    rows = User.objects.filter(username__in=plain).select_related("desk").prefetch_related("groups")
    return list(rows.order_by("username"))
