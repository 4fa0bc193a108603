"""An order as the house keeps it, for tests that compare it with all facts in hand."""

from __future__ import annotations

import json

from orders.domain.changes import Change, ExecutionChange
from orders.domain.facts import OrderFacts, facts_from_json, facts_of_reports, facts_to_json
from orders.domain.fold import fold, needs_all, reads_anew, request_sent
from orders.domain.report import Report
from orders.domain.state import RequestFact


def _stands_behind(report: Report, facts: OrderFacts) -> bool:
    return (report.position.epoch, report.position.seq) > facts.behind.place


class Kept:
    """An order as the house keeps it: the row's JSON, the journal's reports, the executions' identities."""

    def __init__(self) -> None:
        self.row = json.dumps({})
        self.journal: list[Report] = []
        self.executed: set[str] = set()
        self.requests: list[RequestFact] = []
        self.read_again = 0

    def take(self, reports: list[Report]) -> tuple[Change, ...]:
        facts = facts_from_json(json.loads(self.row))
        known = [
            r
            for r in reports
            if _stands_behind(r, facts) and (r.identity in self.executed or r.identity in facts.behind.seen)
        ]
        if any(needs_all(facts, r) for r in reports if r not in known):
            facts = self._all(facts)
        else:
            reports = [r for r in reports if r not in known]
        changes: list[Change] = []
        for report in sorted(reports, key=lambda r: (r.position.epoch, r.position.seq, r.identity)):
            folded = fold(facts, report)
            facts = folded.facts
            if not folded.duplicate:
                self.journal.append(report)
                self.executed |= {c.identity for c in folded.changes if isinstance(c, ExecutionChange)}
            changes.extend(folded.changes)
        self.row = json.dumps(facts_to_json(facts))
        return tuple(changes)

    def send(self, request: RequestFact) -> None:
        facts = facts_from_json(json.loads(self.row))
        if reads_anew(facts, request):
            facts = self._all(facts)
        self.row = json.dumps(facts_to_json(request_sent(facts, request)))

    def _all(self, facts: OrderFacts) -> OrderFacts:
        self.read_again += 1
        again = facts_of_reports(facts.requests, self.journal)
        assert facts_to_json(again) == json.loads(self.row)
        return again
