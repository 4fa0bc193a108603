"""How fast a source and an account may send: one too many is refused, with the time to wait."""

from __future__ import annotations

from collections.abc import Iterable

from risk.domain.answers import CheckAnswer
from risk.domain.checks.base import Check
from risk.domain.facts import Facts
from risk.domain.rates import SECOND_US, Bucket

RETRY_AFTER = "retry_after_s"


class _Rate(Check):
    """One bucket. What does not add risk passes whatever the bucket says: it is counted, never refused."""

    def _judge(self, facts: Facts, bucket: Bucket | None, who: str) -> CheckAnswer:
        if not facts.adds_risk:
            return self.passed()
        if bucket is None:
            return self.refuse("How many messages were sent just now is not known.")
        wait = bucket.waits_us
        if not wait:
            return self.passed()
        seconds = -(-wait // SECOND_US)
        return self.refuse(
            f"{who} sends more than {bucket.mark.words}; send it again in {seconds} s, under a key of its own.",
            mark=bucket.mark.words,
            version=bucket.mark.version,
            **{RETRY_AFTER: seconds},
        )


class SourceRate(_Rate):
    """One user or API key sends no more new orders and replaces that add risk than its mark allows."""

    def answer(self, facts: Facts) -> CheckAnswer:
        rates = facts.rates
        return self._judge(facts, rates.source if rates else None, "This source")


class AccountRate(_Rate):
    """No more new orders and replaces that add risk come for one account than its mark allows."""

    def answer(self, facts: Facts) -> CheckAnswer:
        rates = facts.rates
        return self._judge(facts, rates.account if rates else None, f"Account {facts.account.code}")


RATE_CODES = frozenset({SourceRate.code, AccountRate.code})
"""Refusals that say nothing against the request itself: after the wait it may be sent as it is, under a new key."""


def retry_after(answers: Iterable[CheckAnswer]) -> int | None:
    """Seconds to wait before sending again; None unless a rate refused."""
    waits = [answer.facts.get(RETRY_AFTER) for answer in answers if answer.code in RATE_CODES and answer.verdict]
    return max((int(wait) for wait in waits if wait is not None), default=None)
