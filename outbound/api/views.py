"""The event stream as other systems read it: ``GET /events``, resumable from any position it ever gave.

A caller may wait up to five seconds for the next event; few may at a time (``waiting``), and none holds a database
transaction while it waits.
"""

from __future__ import annotations

import time
from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from authorisation.domain.scopes import EVENTS_READ
from authorisation.models import ApiKey
from journal.selectors.horizon import Horizon
from kernel.clock import utc_now
from kernel.errors import Conflict, Unavailable
from outbound.api.reading import LONGEST_WAIT_S, MOST_EVENTS, EventQuery, read_query
from outbound.api.waiting import WaitingRoom
from outbound.domain.positions import position_text
from outbound.domain.telling import Listener
from outbound.selectors import Page
from outbound.services.read_events import read_events

LOOK_EVERY_S = 0.1
ROOM = WaitingRoom()


class EventPage(serializers.Serializer[Any]):
    """As the document describes it; an event in the words of its contract (docs/formats/events)."""

    events = serializers.ListField(child=serializers.DictField())
    next = serializers.CharField()
    more = serializers.BooleanField()


class EventsView(APIView):
    """``/events``: what happened behind a position, in order, of the orders this key's owner may see."""

    scopes = {"GET": EVENTS_READ}

    @extend_schema(
        operation_id="events_list",
        parameters=[
            OpenApiParameter(
                "after", str, description="next of the page before; 0 for the beginning; now for what comes"
            ),
            OpenApiParameter("limit", int, description=f"1 to {MOST_EVENTS}, 100 when absent"),
            OpenApiParameter("kinds", str, description="kinds or families, comma-separated; all when absent"),
            OpenApiParameter("wait", int, description=f"seconds to wait when there is nothing, 0 to {LONGEST_WAIT_S}"),
        ],
        responses={200: EventPage},
    )
    def get(self, request: Request) -> Response:
        query = read_query(request.query_params)
        key = request.auth
        assert isinstance(key, ApiKey)
        page = _page(query, Listener(key.principal), caller=str(key.pk))
        return Response({"events": page.events, "next": position_text(page.position), "more": page.more})


def _page(query: EventQuery, listener: Listener, *, caller: str) -> Page:
    horizon = Horizon()
    ceiling = horizon.position()
    if query.after is None:
        if horizon.pending:
            raise Unavailable("POSITION_NOT_SETTLED", "Which position is now is not settled just now; ask again.")
        page = Page([], ceiling, False, [])
    else:
        if query.after > ceiling and not horizon.pending:
            raise Conflict("POSITION_AHEAD", "No such position was given here yet; read from an earlier one.")
        page = _read(query, listener, query.after, ceiling)
    if page.events or page.more or not query.wait_s:
        return page
    with ROOM.seat(caller) as seated:
        until = time.monotonic() + query.wait_s if seated else 0.0
        while not page.events and not page.more and time.monotonic() < until:
            time.sleep(LOOK_EVERY_S)
            page = _read(query, listener, page.position, horizon.position())
    return page


def _read(query: EventQuery, listener: Listener, after: int, up_to: int) -> Page:
    return read_events(listener=listener, at=utc_now(), after=after, limit=query.limit, kinds=query.kinds, up_to=up_to)
