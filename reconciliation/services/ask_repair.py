"""Ask a second person to let a break be mended: book what they report, take a state over, declare a name, write off, accept."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from authorisation.domain.principal import Principal
from kernel.errors import Conflict, Invalid
from kernel.numbers import plain
from orders.services.book_filed_report import check_filed_report
from reconciliation.domain.repairs import Repair, amount_of, require_within, why_not
from reconciliation.locks import lock_break
from reconciliation.models import Break, OutsideName
from reconciliation.permissions import require_work
from reconciliation.selectors.repairs import facts_of, filed_of, find_breaks
from reconciliation.selectors.rules import write_off_limit
from reconciliation.services._repairing import Asked, once, raise_repair, require_reason

LONGEST_ACCEPTED = timedelta(days=31)


def ask_repair(
    *,
    actor: Principal,
    at: datetime,
    idempotency_key: str,
    route: str,
    break_id: UUID,
    repair: str,
    reason: str,
    until: date | None = None,
    what: str = "",
    theirs: str = "",
    ours: str = "",
) -> Asked:
    """Ask for it. ``until`` belongs to accept_timing; ``what``, ``theirs``, ``ours`` to correct_mapping.

    A match by hand has a door of its own. Raises NotPermitted RIGHT_MISSING, NotFound BREAK_UNKNOWN, Invalid (REPAIR_INVALID,
    REASON_INVALID), Conflict (REPAIR_IMPOSSIBLE, REPAIR_PENDING, WRITE_OFF_ABOVE_LIMIT, and what booking it would raise now).
    """
    require_work(actor)
    if repair not in set(Repair) - {Repair.MATCH}:
        raise Invalid("REPAIR_INVALID", "There is no such repair.", {"repair": ["There is no such repair."]})
    said, wanted = require_reason(reason), Repair(repair)
    find_breaks(actor, [break_id])
    details: dict[str, Any] = {"what": what, "theirs": theirs.strip(), "ours": ours.strip()}
    content = {"break_id": break_id, "repair": repair, "reason": said, "until": until, **details}

    def question() -> Asked:
        item = lock_break(break_id)
        obstacle = why_not(wanted, facts_of(item))
        if obstacle:
            raise Conflict("REPAIR_IMPOSSIBLE", obstacle)
        shape = _SHAPES[wanted](item, at, until, details)
        return raise_repair(item, actor=actor, at=at, repair=repair, reason=said, **shape)

    return once(actor=actor, at=at, route=route, key=idempotency_key, content=content, question=question)


def _book(item: Break, at: datetime, until: date | None, details: dict[str, Any]) -> dict[str, Any]:
    assert item.order_id is not None
    report = check_filed_report(at=at, order_id=item.order_id, filed=filed_of(item), is_execution=True)
    what = f"execution {report.exec_id}, {plain(report.last_qty)} at {plain(report.last_px)}"
    summary = f"{item.ref}: book {what}, which {item.source} reports"
    return {"details": {}, "summary": summary}


def _state(item: Break, at: datetime, until: date | None, details: dict[str, Any]) -> dict[str, Any]:
    assert item.order_id is not None
    check_filed_report(at=at, order_id=item.order_id, filed=filed_of(item), is_execution=False)
    return {"details": {}, "summary": f"{item.ref}: the order is {item.theirs['ord_status']}, as {item.source} says"}


def _mapping(item: Break, at: datetime, until: date | None, details: dict[str, Any]) -> dict[str, Any]:
    if details["what"] not in OutsideName.What.values or not details["theirs"] or not details["ours"]:
        sentence = "Say what it is, what they call it and what we call it."
        raise Invalid("REPAIR_INVALID", sentence, {"theirs": [sentence]})
    if details["theirs"] not in {str(value) for value in item.theirs.values()}:
        raise Invalid(
            "REPAIR_INVALID", f"Their record does not say {details['theirs']}.", {"theirs": ["Not in their record."]}
        )
    summary = f"{item.ref}: {item.source} calls {details['what']} {details['ours']} {details['theirs']}"
    return {"details": details, "summary": summary}


def _write_off(item: Break, at: datetime, until: date | None, details: dict[str, Any]) -> dict[str, Any]:
    facts = facts_of(item)
    amount = amount_of(facts)
    require_within(amount, write_off_limit(kind=item.kind, source=item.source, currency=facts.currency), facts.currency)
    summary = f"{item.ref}: write {plain(amount)} {facts.currency} off to the error account"
    told = {"amount": plain(amount), "currency": facts.currency}
    return {"details": told, "summary": summary, "value": abs(amount), "currency": facts.currency}


def _timing(item: Break, at: datetime, until: date | None, details: dict[str, Any]) -> dict[str, Any]:
    if until is None or not at.date() <= until <= at.date() + LONGEST_ACCEPTED:
        sentence = f"Until a day from today on, at most {LONGEST_ACCEPTED.days} days ahead."
        raise Invalid("REPAIR_INVALID", sentence, {"until": [sentence]})
    return {"details": {"until": until.isoformat()}, "summary": f"{item.ref}: a difference in time, until {until}"}


_SHAPES = {
    Repair.BOOK: _book,
    Repair.STATE: _state,
    Repair.MAPPING: _mapping,
    Repair.WRITE_OFF: _write_off,
    Repair.TIMING: _timing,
}
