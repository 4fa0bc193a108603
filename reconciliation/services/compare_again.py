"""Compare once more what an anomaly suspected while its kind and source had just been compared (``Run.again_at``).

A storm of anomalies is one matter, so the second of ten minutes starts nothing; but the comparison of before cannot have seen what it
is about. However many came meanwhile, one run follows when the quiet time is over.
"""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from authorisation.domain.principal import process_principal
from reconciliation.domain import transitions as moves
from reconciliation.models import Run
from reconciliation.services.start_due_runs import start_due_runs

ACTOR = process_principal("reconciliation")
MOST = 50


def compare_again(*, at: datetime) -> int:
    """How many runs were asked for. A kind and source that is being compared right now waits until it has been."""
    at_work = Run.objects.filter(state=moves.RUNNING).values_list("kind", "source")
    asked = 0
    for run in Run.objects.filter(again_at__lte=at).order_by("again_at", "id")[:MOST]:
        if (run.kind, run.source) in at_work:
            continue
        with transaction.atomic():
            if Run.objects.filter(id=run.id, again_at=run.again_at).update(again_at=None):
                asked += len(
                    start_due_runs(
                        actor=ACTOR, at=at, trigger=Run.Trigger.ANOMALY, again=True, newest=True, sources=[run.source],
                        kinds=[run.kind],
                    )
                )  # fmt: skip
    return asked
