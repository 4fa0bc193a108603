"""The API of contract notes and of the trade feed: reads alone. What a key's owner may not see is not there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from allocations.api.documents import FeedAnswer, NoteAnswer, NotesAnswer
from allocations.models import ContractNote
from allocations.printing.kept import pdf_of_note
from allocations.selectors.feed import MOST, read_feed
from allocations.selectors.notes import NoteFilter, get_note, list_notes
from authorisation.domain.scopes import POST_TRADE_READ
from kernel.errors import Invalid
from kernel.texts import utc_text
from orders.api.reading import UNREADABLE, read_day, read_word
from orders.api.views import OrderApiView

POSITION = {"type": "integer", "minimum": 0, "maximum": 10**15}
LIMIT = {"type": "integer", "minimum": 1, "maximum": MOST}
STATES = ("issued", "canceled")


class TradeFeedView(OrderApiView):
    """``/trade-feed``: every trade and what became of it, behind a position."""

    scopes = {"GET": POST_TRADE_READ}
    parameters = {"GET": ("after", "limit")}

    @extend_schema(
        operation_id="trade_feed_list",
        parameters=[
            OpenApiParameter("after", POSITION, description="next of the page before; 0 when absent"),
            OpenApiParameter("limit", LIMIT, description=f"1 to {MOST}, 200 when absent"),
        ],
        responses={200: FeedAnswer},
    )
    def get(self, request: Request) -> Response:
        faults: dict[str, list[str]] = {}
        after = _whole(request.query_params, "after", 0, 10**15, 0, faults)
        limit = _whole(request.query_params, "limit", 1, MOST, 200, faults)
        if faults:
            raise Invalid("PARAMETERS_INVALID", UNREADABLE, faults)
        page = read_feed(self.principal(), after=after, limit=limit)
        return Response({"trades": page.trades, "next": page.next, "more": page.more})


class ContractNotesView(OrderApiView):
    """``/contract-notes``: those the key's owner may see, newest first."""

    scopes = {"GET": POST_TRADE_READ}
    parameters = {"GET": ("day", "account", "state")}

    @extend_schema(
        operation_id="contract_notes_list",
        parameters=[
            OpenApiParameter("day", OpenApiTypes.DATE, description="Only of trades of this day"),
            OpenApiParameter("account", str, description="Only of accounts whose code holds this"),
            OpenApiParameter("state", str, enum=STATES, description="Only those that stand, or only those that do not"),
        ],
        responses={200: NotesAnswer},
    )
    def get(self, request: Request) -> Response:
        wanted = read_filter(request.query_params)
        return Response({"notes": [note_body(note) for note in list_notes(self.principal(), wanted)]})


class ContractNoteView(OrderApiView):
    """``/contract-notes/{id}``: one with all its facts."""

    scopes = {"GET": POST_TRADE_READ}

    @extend_schema(operation_id="contract_notes_get", responses={200: NoteAnswer})
    def get(self, request: Request, note_id: UUID) -> Response:
        note = get_note(self.principal(), note_id)
        return Response(note_body(note) | {"facts": note.facts})


class ContractNotePdfView(OrderApiView):
    """``/contract-notes/{id}/pdf``: the very bytes that the client was given."""

    scopes = {"GET": POST_TRADE_READ}

    @extend_schema(operation_id="contract_notes_pdf", responses={(200, "application/pdf"): OpenApiTypes.BINARY})
    def get(self, request: Request, note_id: UUID) -> HttpResponse:
        note = get_note(self.principal(), note_id)
        answer = HttpResponse(pdf_of_note(note), content_type="application/pdf")
        answer["Content-Disposition"] = f'attachment; filename="{note.ref}.pdf"'
        return answer


def read_filter(query: Mapping[str, str]) -> NoteFilter:
    """The filter of a list of notes. Raises Invalid PARAMETERS_INVALID with a sentence a parameter."""
    faults: dict[str, list[str]] = {}
    day = read_day(query, "day", faults)
    state = read_word(query, "state", STATES, faults)
    account = query.get("account", "").strip()
    if "\x00" in account:
        faults["account"] = ["Holds a NUL character."]
    if faults:
        raise Invalid("PARAMETERS_INVALID", UNREADABLE, faults)
    return NoteFilter(day=day, account=account[:24], state=state)


def note_body(note: ContractNote) -> dict[str, Any]:
    """A note without its facts."""
    return {
        "id": str(note.id), "ref": note.ref, "account": note.account.code, "trade_date": note.trade_date.isoformat(),
        "mic": note.mic, "scope": note.scope, "regime": note.regime, "state": note.state,
        "replaces": note.replaces.ref if note.replaces else None, "cancels": note.cancels.ref if note.cancels else None,
        "reason": note.reason or None, "issued_at": utc_text(note.issued_at),
        "due_at": utc_text(note.due_at) if note.due_at else None, "pdf_sha256": bytes(note.pdf_sha256).hex(),
    }  # fmt: skip


def _whole(
    query: Mapping[str, str], name: str, least: int, most: int, absent: int, faults: dict[str, list[str]]
) -> int:
    text = query.get(name, str(absent))
    if not (text.isascii() and text.isdigit() and len(text) <= 16 and least <= int(text) <= most):
        faults[name] = [f"A whole number from {least} to {most}."]
        return absent
    return int(text)
