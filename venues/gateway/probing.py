"""The question a half-open breaker asks its venue: the status of an order that was handed over before (35=H), nothing else."""

from __future__ import annotations

from datetime import datetime

from kernel.crash_points import crash_point
from risk.domain.breakers import FIRM
from risk.domain.rates import session_subject
from risk.selectors.rates import due_probes
from risk.services.probe_breaker import probe_breaker
from venues.adapters.registry import adapter_named
from venues.domain.messages import IntentKind, OutboundIntent, terms_from_message
from venues.gateway.engine import Engine
from venues.models import FixSession
from venues.selectors.health import find_probe
from venues.services.take_over_sessions import TakenSession

NOTHING_TO_ASK = "There was nothing to ask: {why}."


def probe_breakers(engine: Engine, live: TakenSession | None, *, group: str, now: datetime) -> int:
    """Ask for every half-open breaker of the session, of its venue and of the firm that has not asked yet."""
    if live is None:
        return 0
    venue = FixSession.objects.values_list("venue_id", flat=True).get(name=live.name)
    due = due_probes([session_subject(live.name), f"venue:{venue}", FIRM])
    for kind, subject in due:
        _probe(engine, live, kind, subject, group=group, now=now)
    return len(due)


def _probe(engine: Engine, live: TakenSession, kind: str, subject: str, *, group: str, now: datetime) -> None:
    adapter = adapter_named(live.adapter)
    found = find_probe(group=group)
    if not adapter.capabilities.order_status_request or found is None:
        why = "no order went there lately" if found is None else "the venue takes no questions"
        probe_breaker(kind=kind, subject=subject, at=now, answer=NOTHING_TO_ASK.format(why=why))
        return
    cl_ord_id, venue_order_id, message = found
    question = adapter.map_outbound(
        OutboundIntent(
            kind=IntentKind.STATUS,
            cl_ord_id=cl_ord_id,
            orig_cl_ord_id="",
            venue_order_id=venue_order_id,
            terms=terms_from_message(message),
            transact_time=now,
        )
    )
    probe_breaker(kind=kind, subject=subject, at=now, asked=cl_ord_id)
    crash_point("breaker.probed")
    engine.ask(live.name, question)  # lost with the process it is asked again: unanswered, the breaker opens once more
