"""The API against its own OpenAPI document: generated calls, good and bad, answer only what the document says.

The calls are drawn from the document with a fixed seed; ids, accounts and symbols that exist stand in for half of those
that do not. Each call is undone. What is proven: no failure of ours, no status, content type, header or body that the
document does not name, nothing malformed taken, nothing answered without a key.
"""

from __future__ import annotations

import json
import random
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import pytest
import schemathesis
from django.core.handlers.wsgi import WSGIHandler
from django.db import transaction
from hypothesis import HealthCheck, Phase, given, seed, settings
from schemathesis import GenerationMode, checks
from schemathesis.core.failures import FailureGroup
from schemathesis.core.parameters import ParameterLocation
from schemathesis.core.result import Ok
from schemathesis.specs.openapi import checks as openapi_checks

from tests.architecture.addresses.bodies import order_body
from tests.factories.doors import Doors, make_doors
from tests.factories.partners import connection_kept

pytestmark = pytest.mark.django_db
EXAMPLES = 12
CHECKS = [
    checks.not_a_server_error,
    openapi_checks.status_code_conformance,
    openapi_checks.content_type_conformance,
    openapi_checks.response_headers_conformance,
    openapi_checks.response_schema_conformance,
    openapi_checks.negative_data_rejection,
    openapi_checks.missing_required_header,
    openapi_checks.unsupported_method,
]


@pytest.fixture
def doors() -> Doors:
    return make_doors()


def document(doors: Doors) -> dict[str, Any]:
    answer = doors.call("GET", "/api/v1/schema", caller="own")
    read: dict[str, Any] = json.loads(answer.content)
    return read


def is_good(case: Any, part: ParameterLocation) -> bool:
    """Whether this part of the call was drawn to be well formed."""
    drawn = case.meta.components.get(part)
    return drawn is None or drawn.mode is GenerationMode.POSITIVE


def real_ids(case: Any, doors: Doors, chance: random.Random) -> None:
    """Half of the well-formed calls name rows that are there, and half of the orders could be sent."""
    real = {
        "order_id": str(doors.order.order_id),
        "stop_id": str(doors.stop_id),
        "approval_id": str(doors.approvals[0]),
        "item_id": str(doors.exceptions[0]),
        "run_id": str(doors.run_id),
        "ref": doors.block_ref,
        "note_id": str(doors.notes[0]),
        "code": doors.own.account.code,
    }
    named = case.path_parameters or {}
    if is_good(case, ParameterLocation.PATH) and chance.random() < 0.5 and named.keys() <= real.keys():
        case.path_parameters = {name: real[name] for name in named}
    wanted = isinstance(case.body, dict) and "account" in case.body and is_good(case, ParameterLocation.BODY)
    if wanted and chance.random() < 0.5:
        for name in ("stop_px", "min_qty", "max_floor", "expire_at", "expire_date", "time_in_force", "locate_ref"):
            case.body.pop(name, None)
        case.body |= order_body(doors)


@dataclass
class Trial:
    """What the calls of one run were answered, and what was wrong with it."""

    doors: Doors
    statuses: Counter[tuple[str, int]] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)

    def run(self, operation: Any, mode: GenerationMode) -> None:
        chance = random.Random(f"{operation.label} {mode}")

        @seed(20261126)
        @settings(
            max_examples=EXAMPLES,
            deadline=None,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy(generation_mode=mode))
        def call(case: Any) -> None:
            real_ids(case, self.doors, chance)
            self._call(operation.label, case)

        call()

    def _call(self, label: str, case: Any) -> None:
        with transaction.atomic():
            answer = case.call(headers={"Authorization": "Bearer oms_own"})
            transaction.set_rollback(True)
        self.statuses[label, answer.status_code] += 1
        try:
            case.validate_response(answer, checks=CHECKS)
        except FailureGroup as group:
            self.wrong += [f"{label}: {type(one).__name__} {one}" for one in group.exceptions]


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
def test_generated_calls_answer_what_the_document_says(doors: Doors, mode: GenerationMode) -> None:
    schema = schemathesis.openapi.from_dict(document(doors))
    schema.app = WSGIHandler()
    trial = Trial(doors)
    with connection_kept():
        for result in schema.get_all_operations():
            assert isinstance(result, Ok), result
            trial.run(result.ok(), mode)
    print(trial.statuses)
    assert trial.wrong == [], "\n".join(trial.wrong)
