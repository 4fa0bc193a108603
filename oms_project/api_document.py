"""The parts of the OpenAPI document that are the same everywhere: errors, their headers, and what a repeated key answers.

A view describes what it answers when it does what was asked; every refusal the frame can give is added here, so that no
view can forget one.
"""

from __future__ import annotations

from typing import Any

ERROR = {"$ref": "#/components/schemas/Error"}
_ERROR_SCHEMA = {
    "type": "object",
    "description": "Every refusal: a stable code, a sentence for people, facts, and where fields are wrong a sentence each.",
    "properties": {
        "code": {"type": "string", "pattern": "^[A-Z0-9_]+$"},
        "sentence": {"type": "string"},
        "context": {"type": "object", "additionalProperties": {}},
        "fields": {"type": "object", "additionalProperties": {}},
    },
    "required": ["code", "sentence", "context"],
    "example": {
        "code": "PARAMETERS_INVALID",
        "sentence": "Some query parameters are unknown or malformed.",
        "context": {},
    },
}
_ALWAYS = {
    "400": "Malformed: what was sent, field by field.",
    "401": "We do not know who asks: no key, a wrong signature, a clock off by more than 300 s, a nonce used before.",
    "403": "The key was not given the scope, or its account may not do this.",
    "406": "An answer was asked for in another form than JSON.",
    "429": "More came than was agreed: wait as long as Retry-After says.",
    "503": "Something needed to decide is away, or the same request is still at work: ask again with the same key.",
}
_OF_A_ROW = {"404": "There is no such row that you may see."}
_OF_A_POSITION = {"409": "No such position was given here yet: read from an earlier one."}
_OF_A_BODY = {
    "409": "The state of the row, or an earlier use of the key with other content, contradicts the request.",
    "415": "The body is not JSON.",
    "422": "Refused by a rule of the house.",
}
_HEADERS = {
    "401": ("WWW-Authenticate", "How to say who you are."),
    "429": ("Retry-After", "Seconds to wait."),
    "503": ("Retry-After", "Seconds to wait."),
}
_REPLAYED = {
    "Idempotency-Replayed": {
        "schema": {"type": "string"},
        "description": "true: this was done before; the same answer.",
    }
}


def complete(result: dict[str, Any], generator: Any, request: Any, public: bool) -> dict[str, Any]:
    """Add to every operation the refusals it may answer. A post-processing hook of drf-spectacular."""
    schemas = result.setdefault("components", {}).setdefault("schemas", {})
    for name, schema in schemas.items():
        if name.endswith("Request") and schema.get("type") == "object":
            schema["additionalProperties"] = False  # what is not known is refused, field by field
    schemas["Error"] = _ERROR_SCHEMA
    for path, operations in result["paths"].items():
        for method, operation in operations.items():
            wanted = dict(_ALWAYS)
            if "{" in path:
                wanted |= _OF_A_ROW
            if any(parameter["name"] == "after" for parameter in operation.get("parameters", ())):
                wanted |= _OF_A_POSITION
            if method == "post":
                wanted |= _OF_A_BODY
            for status, sentence in wanted.items():
                _refusal(operation["responses"], status, sentence)
            if method == "post":
                for status in ("200", "201", "202"):
                    if status in operation["responses"]:
                        operation["responses"][status]["headers"] = _REPLAYED
    return result


def _refusal(responses: dict[str, Any], status: str, sentence: str) -> None:
    """Beside what a view says of the status itself, the error of the frame."""
    schemas = [ERROR]
    for described in responses.get(status, {}).get("content", {}).values():
        schemas.insert(0, described["schema"])
    answer: dict[str, Any] = {
        "description": sentence,
        "content": {"application/json": {"schema": ERROR if len(schemas) == 1 else {"anyOf": schemas}}},
    }
    if status in _HEADERS:
        name, why = _HEADERS[status]
        answer["headers"] = {name: {"schema": {"type": "string"}, "description": why}}
    responses[status] = answer
