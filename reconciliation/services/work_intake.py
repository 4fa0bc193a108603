"""Do an intake that somebody began, or what is left of it, in a process of ours and on behalf of who began it.

Nothing of it depends on the process: whatever kills it, the next one does it again from its row and the kept file.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from uuid import UUID

from authorisation.domain.principal import process_principal
from kernel.errors import NotFound
from reconciliation.locks import taking_in
from reconciliation.models import Intake
from reconciliation.services.take_in import carry_on

PROCESS = process_principal("start_of_day")


def work_intake(*, intake_id: UUID, at: datetime) -> Intake | None:
    """The intake as it ended for now; None while another process does it. Raises NotFound INTAKE_UNKNOWN."""
    with taking_in(intake_id) as mine:
        if not mine:
            return None
        intake = Intake.objects.select_related("file", "file__feed").filter(pk=intake_id).first()
        if intake is None:
            raise NotFound("INTAKE_UNKNOWN", "There is no such file of the start of day.")
        return carry_on(intake, actor=replace(PROCESS, on_behalf_of=intake.started_by), at=at)
