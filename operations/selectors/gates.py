"""Gates of the start of day on the page of who watches them, and what opening one would do on that of who decides."""

from __future__ import annotations

from datetime import datetime

from accounts.models import TradingAccount
from authorisation.domain.four_eyes import RequestFacts
from authorisation.domain.principal import Principal
from kernel.errors import Unavailable
from operations.domain.effect import Effect, EffectLine
from reconciliation.models import Feed
from reconciliation.permissions import DECIDE_BREAK, WORK_BREAK
from reconciliation.selectors.feeds import feed_state
from reconciliation.services.decide_gate_override import why_not_now


def may_ask(actor: Principal) -> str:
    """Why this person may not ask for an opening, or the empty text."""
    return "" if WORK_BREAK in actor.rights else "Your role may not ask to open a gate."


def may_withdraw(actor: Principal) -> str:
    """Why this person may not shut a gate again, or the empty text."""
    return "" if actor.rights & {WORK_BREAK, DECIDE_BREAK} else "Your role may not shut a gate."


def _word(feed: Feed, at: datetime) -> str:
    """How it stands with the file, in words; that nobody knows what is due is one as well."""
    try:
        state = feed_state(feed, at=at)
    except Unavailable as problem:
        return problem.sentence
    return f"of {state.due.about}: {state.word.value}" if state.due else state.word.value


def describe_gate_override(actor: Principal, facts: RequestFacts, at: datetime) -> Effect:
    """Who may trade without which file, on figures of which day, and until when."""
    asked = facts.payload
    feed = Feed.objects.get(pk=asked["feed"])
    obstacle = why_not_now(asked, at)
    whom = asked["account"] or "every account"
    concerned = "1" if asked["account"] else f"{TradingAccount.objects.count():,}"
    return Effect(
        headline=f"{whom} may add risk without {feed.title}: {asked['reason']}",
        button=f"open the gate for {whom}",
        lines=(
            EffectLine("Accounts let through this gate", "0", concerned, "other blocks of theirs stand", drifts=True),
            EffectLine("File that is missing", feed.title, _word(feed, at)),
            EffectLine(
                "Open until",
                "shut",
                asked["until"][:16].replace("T", " ") + " UTC",
                "or until the file is in the books",
            ),
        ),
        warnings=(f"Why the gate is shut: {asked['gate']}", f"Evidence: {asked['evidence']}"),
        obstacle=obstacle,
    )
