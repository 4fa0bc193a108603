"""How far a file of the start of day is on its way into the books: one table behind model, trigger and diagram. Pure."""

from __future__ import annotations

from reconciliation.domain.transitions import Transition

STAGED, WAITING, APPLYING, APPLIED = "staged", "waiting", "applying", "applied"
REFUSED, CANCELED, SUPERSEDED = "refused", "canceled", "superseded"

INTAKE: tuple[Transition, ...] = (
    Transition("wait", (STAGED,), WAITING, "a person must accept what is wrong with it"),
    Transition("begin", (STAGED, WAITING), APPLYING, "it is clean, or was accepted"),
    Transition("apply", (APPLYING,), APPLIED, "the books say what it says"),
    Transition("refuse", (STAGED,), REFUSED, "so much is wrong that the file is doubted, or the books are newer"),
    Transition("cancel", (STAGED, WAITING), CANCELED, "somebody put it away"),
    Transition("supersede", (STAGED, WAITING), SUPERSEDED, "a newer file of the feed came"),
)
OPEN = (STAGED, WAITING, APPLYING)
