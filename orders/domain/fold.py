"""One more report, or one more request of ours, and what it changes.

A report that stands after all others costs one step; one that arrives late is put in its place and the order is read
again. A report seen before changes nothing. So the same set of reports gives the same facts, whatever their order and
however often each is delivered.
"""

from __future__ import annotations

from collections.abc import Iterable
from operator import attrgetter

from kernel.fix import ExecType
from kernel.numbers import ZERO
from orders.domain.changes import AnomalyFound, AnomalyGone, Change, ExecutionChange, Folded, RequestAnswered
from orders.domain.derive import all_answers, all_notes
from orders.domain.executions import BUST, CORRECTION
from orders.domain.facts import OrderFacts, fact_of
from orders.domain.repeats import is_told_again
from orders.domain.report import Report
from orders.domain.state import Exec, Fact, RequestFact, State
from orders.domain.walk import step, walk

_IDENTITY = attrgetter("identity")


def request_sent(facts: OrderFacts, request: RequestFact) -> OrderFacts:
    """The facts with one more request of ours. A ClOrdID used before changes nothing: the first use of it stands."""
    if any(r.cl_ord_id == request.cl_ord_id for r in facts.requests):
        return facts
    requests = (*facts.requests, request)
    if facts.whole:
        # Reports are read by the requests they name, so they are read again; there are few when a request is sent.
        return OrderFacts(requests, facts.facts, walk(requests, facts.facts))
    if reads_anew(facts, request):
        raise ValueError(f"request {request.cl_ord_id} changes how facts are read that are not in hand")
    return OrderFacts(requests, facts.facts, facts.state, facts.behind)


def reads_anew(facts: OrderFacts, request: RequestFact) -> bool:
    """Whether facts that are only summed up must be read again once this request is known."""
    return not facts.whole and (request.kind == "new" or facts.behind.loose or bool(facts.facts))


def needs_all(facts: OrderFacts, report: Report) -> bool:
    """Whether a sum cannot decide what this report changes: it stands before others, or speaks of executions.

    Corrections, busts and restatements do; so does everything while one of them waits for its trade, and what may be
    the resend of a report of an earlier epoch. Not for a report whose identity is known: that one is a duplicate.
    """
    if facts.whole:
        return False
    place = (report.position.epoch, report.position.seq)
    return (
        place <= facts.behind.place or report.exec_type in _LOOKS_BACK or report.poss_resend or bool(facts.state.parked)
    )


_LOOKS_BACK = frozenset((ExecType.TRADE_CANCEL, ExecType.TRADE_CORRECT, ExecType.RESTATED))


def fold(facts: OrderFacts, report: Report) -> Folded:
    """The facts after ``report`` and what changed by it."""
    fact = fact_of(report)
    if _stands_last(facts, fact):
        if fact.identity in facts.behind.seen or _find(facts.facts, fact.identity) is not None:
            return Folded(facts, (), duplicate=True)
        if needs_all(facts, report):
            raise ValueError(f"report {fact.identity} cannot be folded into a sum of facts")
        longer = (*facts.facts, fact)
        # One told before may say where those repeated just before it belong.
        told_again = is_told_again(fact, facts.facts)
        state = walk(facts.requests, longer) if told_again else step(facts.state, fact, facts.requests)
        after = OrderFacts(facts.requests, longer, state, facts.behind)
    else:
        kept = _find(facts.facts, fact.identity)
        if kept is not None and kept.place <= fact.place:
            return Folded(facts, (), duplicate=True)
        if not facts.whole:
            raise ValueError(f"report {fact.identity} stands before facts that are not in hand")
        # A resend under a later number may overtake the first send: the earliest place counts, on every road.
        others = tuple(f for f in facts.facts if f is not kept)
        ordered = tuple(sorted((*others, fact), key=_place))
        after = OrderFacts(facts.requests, ordered, walk(facts.requests, ordered))
    return Folded(after, _changes(facts.state, after.state, report, fact))


def fold_many(facts: OrderFacts, reports: Iterable[Report]) -> Folded:
    """Fold a batch in the venue's order: disorder within the batch then raises nothing that the batch also settles."""
    changes: list[Change] = []
    duplicate = True
    for report in sorted(reports, key=lambda r: (r.position.epoch, r.position.seq, r.identity)):
        folded = fold(facts, report)
        facts = folded.facts
        changes.extend(folded.changes)
        duplicate = duplicate and folded.duplicate
    return Folded(facts, tuple(changes), duplicate)


def _stands_last(facts: OrderFacts, fact: Fact) -> bool:
    if facts.facts:
        return _place(fact) > _place(facts.facts[-1])
    return fact.place > facts.behind.place


def _place(fact: Fact) -> tuple[str, int, str]:
    return (fact.epoch, fact.seq, fact.identity)


def _find(facts: tuple[Fact, ...], identity: str) -> Fact | None:
    if identity not in map(_IDENTITY, facts):  # at the speed of C: nearly always there is none, of thousands
        return None
    return next(fact for fact in facts if fact.identity == identity)


def _changes(before: State, after: State, report: Report, fact: Fact) -> tuple[Change, ...]:
    changes: list[Change] = []
    if before.execs is not after.execs:
        changes.extend(_execution_changes(before.execs, after.execs, report, fact))
    if (
        before.answers is not after.answers
        or before.acknowledged != after.acknowledged
        or before.denied != after.denied
    ):
        had = all_answers(before)
        changes.extend(
            RequestAnswered(a.cl_ord_id, a.outcome, a.code, a.text) for a in all_answers(after) if a not in had
        )
    old_notes, new_notes = all_notes(before), all_notes(after)
    if old_notes != new_notes:
        old_keys, new_keys = {n.key for n in old_notes}, {n.key for n in new_notes}
        changes.extend(
            AnomalyFound(n.kind, n.severity, n.sentence, n.evidence, n.key) for n in new_notes if n.key not in old_keys
        )
        changes.extend(AnomalyGone(n.kind, n.key) for n in old_notes if n.key not in new_keys)
    return tuple(changes)


def _execution_changes(
    before: tuple[Exec, ...], after: tuple[Exec, ...], report: Report, fact: Fact
) -> list[ExecutionChange]:
    """The differences: nothing else is ever booked, so the order of arrival cannot matter to any sum."""
    if after[: len(before)] == before:
        return [_changed(None, e, "trade", report) for e in after[len(before) :]]
    known = {e.identity: e for e in before}
    changes = []
    for e in after:
        old = known.pop(e.identity, None)
        if old is None or (old.qty, old.px, old.kept, old.versions) != (e.qty, e.px, e.kept, e.versions):
            changes.append(_changed(old, e, "trade" if old is None else _kind(e, fact), report))
    # A resend that was counted, and now meets the first telling of itself, is worth nothing any more.
    changes.extend(_changed(old, _worthless(old), "restate", report) for old in known.values() if old.qty)
    return changes


def _worthless(execution: Exec) -> Exec:
    kept = None if execution.kept is None else (ZERO, execution.kept[1])
    return execution._replace(qty=ZERO, kept=kept)


def _changed(old: Exec | None, new: Exec, kind: str, report: Report) -> ExecutionChange:
    before, after = old.booked if old is not None else (ZERO, ZERO), new.booked
    return ExecutionChange(
        identity=new.identity,
        exec_id=new.versions[0],
        exec_ref_id=new.versions[-1] if len(new.versions) > 1 else "",
        kind=kind,
        effective_qty_before=before[0],
        effective_px_before=before[1],
        effective_qty=after[0],
        effective_px=after[1],
        report=report,
        stated=new.stated,
    )


def _kind(execution: Exec, fact: Fact) -> str:
    if fact.kind == BUST or execution.busted:
        return "bust"
    return "correct" if fact.kind == CORRECTION else "restate"
