"""The API of approvals: what waits, one item with its effect of now, and every step a person takes about it.

A decision names the hash of what was asked and what its effect was when it was read (``shown``): one that has moved since
is told instead of decided. The same decision sent again answers as it did. Deciding is for people, not for services.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from authorisation.domain.four_eyes import APPROVE, DECLINE
from authorisation.domain.principal import Principal
from authorisation.domain.scopes import APPROVALS_DECIDE, APPROVALS_READ
from authorisation.selectors.said import list_said, list_versions
from authorisation.services.claim_request import claim_request
from authorisation.services.decide_request import APPLIED, DECLINED, NOT_APPLIED, RECORDED
from authorisation.services.release_claim import release_claim
from authorisation.services.resubmit_request import resubmit_request
from authorisation.services.send_back_request import send_back_request
from kernel.clock import utc_now
from kernel.errors import Conflict, Invalid, OmsError
from kernel.ids import new_id
from operations.api.approval_answers import item_answer, review_answer
from operations.domain.shown import from_text
from operations.forms import DECLINE_REASONS
from operations.selectors.approvals import get_approval, list_approvals
from operations.selectors.review import review_approval
from operations.services.decide_approval import decide_approval
from operations.services.decide_many import MOST
from operations.services.decide_together import Looked, decide_together
from operations.services.withdraw_approval import withdraw_approval
from orders.api.serializers import StrictSerializer
from orders.api.views import KEY, OrderApiView

VIEWS = ("mine", "raised", "all", "decided")
_OUTCOMES = {"approved": APPLIED, "not_applied": NOT_APPLIED, "declined": DECLINED}


class DecisionBodySerializer(StrictSerializer):
    """``shown`` and ``payload_hash`` are those of the item as it was read."""

    verdict = serializers.ChoiceField(choices=[APPROVE, DECLINE])
    payload_hash = serializers.CharField(max_length=64)
    shown = serializers.CharField(max_length=16_000, required=False, default="")
    reason_code = serializers.ChoiceField(choices=sorted(DECLINE_REASONS), required=False, default="")
    reason = serializers.CharField(max_length=2000, required=False, default="", allow_blank=True)


class QuestionBodySerializer(StrictSerializer):
    """What the maker is asked, about what was read."""

    question = serializers.CharField(max_length=1000)
    payload_hash = serializers.CharField(max_length=64)


class AnswerBodySerializer(StrictSerializer):
    """The maker's answer; the same is asked, in the next version."""

    answer = serializers.CharField(max_length=2000)


class NothingSerializer(StrictSerializer):
    """An empty body."""


class ApprovalsView(OrderApiView):
    """``/approvals``: what waits, by time left and value; or what was decided, the latest first. At most 200."""

    scopes = {"GET": APPROVALS_READ}
    parameters = {"GET": ("view",)}

    @extend_schema(
        operation_id="approvals_list",
        parameters=[OpenApiParameter("view", str, enum=VIEWS, description="mine when absent")],
        responses={200: dict},
    )
    def get(self, request: Request) -> Response:
        view = request.query_params.get("view", "mine")
        if view not in VIEWS:
            sentence = f"One of {', '.join(VIEWS)}."
            raise Invalid("PARAMETERS_INVALID", "Some query parameters are unknown or malformed.", {"view": [sentence]})
        items = list_approvals(actor=self.principal(), view=view, at=utc_now())
        return Response({"approvals": [item_answer(item) for item in items]})


class ApprovalView(OrderApiView):
    """``/approvals/{id}``: one item with its effect by a dry run of now, and ``shown``, which a decision hands back."""

    scopes = {"GET": APPROVALS_READ}

    @extend_schema(operation_id="approvals_get", responses={200: dict})
    def get(self, request: Request, approval_id: UUID) -> Response:
        return Response(whole_answer(self.principal(), approval_id))


class ApprovalStepView(OrderApiView):
    """What the steps share: that what one may not see does not exist."""

    scopes = {"POST": APPROVALS_DECIDE}

    def seen(self, approval_id: UUID) -> Principal:
        """The principal, who sees the item; raises NotFound otherwise."""
        principal = self.principal()
        get_approval(actor=principal, approval_id=approval_id, at=utc_now())
        return principal


class ApprovalDecideView(ApprovalStepView):
    """``/approvals/{id}/decide``: approve or decline."""

    @extend_schema(
        operation_id="approvals_decide", request=DecisionBodySerializer, parameters=[KEY], responses={200: dict}
    )
    def post(self, request: Request, approval_id: UUID) -> Response:
        self.key()
        principal, body = self.seen(approval_id), self.body(DecisionBodySerializer)
        try:
            decided = decide_approval(
                actor=principal,
                at=utc_now(),
                approval_id=approval_id,
                verdict=body["verdict"],
                reason_code=body["reason_code"],
                reason=body["reason"],
                payload_hash=body["payload_hash"],
                shown=from_text(body["shown"]) if body["shown"] else None,
            )
        except OmsError as error:
            return Response(_said_before(principal, approval_id, body, error))
        return Response({"outcome": decided.outcome, "sentence": decided.sentence, "replayed": False})


class TogetherItemSerializer(StrictSerializer):
    """One request as it was read."""

    id = serializers.UUIDField()
    payload_hash = serializers.CharField(max_length=64)
    shown = serializers.CharField(max_length=16_000)


class TogetherBodySerializer(StrictSerializer):
    """At most 20 of one kind. Only what would go through as it is is approved."""

    kind = serializers.CharField(max_length=40)
    items = serializers.ListField(child=TogetherItemSerializer(), min_length=1, max_length=MOST)
    reason = serializers.CharField(max_length=1900, required=False, default="", allow_blank=True)


class ApprovalsTogetherView(OrderApiView):
    """``/approvals/together``: approve several of one kind; the outcome of each, under one request id.

    Each is decided in a transaction of its own; sent again, those that were decided say so.
    """

    scopes = {"POST": APPROVALS_DECIDE}

    @extend_schema(
        operation_id="approvals_together", request=TogetherBodySerializer, parameters=[KEY], responses={200: dict}
    )
    def post(self, request: Request) -> Response:
        self.key()
        body, request_id = self.body(TogetherBodySerializer), new_id()
        outcomes = decide_together(
            actor=self.principal(),
            at=utc_now(),
            kind=body["kind"],
            items=[Looked(one["id"], one["payload_hash"], from_text(one["shown"])) for one in body["items"]],
            reason=body["reason"],
            request_id=request_id,
        )
        answers = [
            {"id": str(one.authorisation_id), "outcome": one.outcome, "sentence": one.sentence, "code": one.code}
            for one in outcomes
        ]
        return Response({"request_id": str(request_id), "outcomes": answers})


class ApprovalClaimView(ApprovalStepView):
    """``/approvals/{id}/claim``: nobody else decides it for the minutes of its policy."""

    @extend_schema(operation_id="approvals_claim", request=NothingSerializer, parameters=[KEY], responses={200: dict})
    def post(self, request: Request, approval_id: UUID) -> Response:
        principal, body = self.seen(approval_id), self.body(NothingSerializer)
        return self.once(body, lambda: (200, self._claim(principal, approval_id)))

    def _claim(self, principal: Principal, approval_id: UUID) -> dict[str, Any]:
        until = claim_request(actor=principal, at=utc_now(), authorisation_id=approval_id)
        return {"claimed_until": until.isoformat()}


class ApprovalReleaseView(ApprovalStepView):
    """``/approvals/{id}/release``: let somebody else decide it."""

    @extend_schema(operation_id="approvals_release", request=NothingSerializer, parameters=[KEY], responses={200: dict})
    def post(self, request: Request, approval_id: UUID) -> Response:
        principal, body = self.seen(approval_id), self.body(NothingSerializer)
        return self.once(body, lambda: (200, self._release(principal, approval_id)))

    def _release(self, principal: Principal, approval_id: UUID) -> dict[str, Any]:
        release_claim(actor=principal, at=utc_now(), authorisation_id=approval_id)
        return {"claimed_until": None}


class ApprovalSendBackView(ApprovalStepView):
    """``/approvals/{id}/send-back``: ask its maker something."""

    @extend_schema(
        operation_id="approvals_send_back", request=QuestionBodySerializer, parameters=[KEY], responses={200: dict}
    )
    def post(self, request: Request, approval_id: UUID) -> Response:
        principal, body = self.seen(approval_id), self.body(QuestionBodySerializer)
        return self.once(body, lambda: (200, self._ask(principal, approval_id, body)))

    def _ask(self, principal: Principal, approval_id: UUID, body: dict[str, Any]) -> dict[str, Any]:
        send_back_request(actor=principal, at=utc_now(), authorisation_id=approval_id, **body)
        return whole_answer(principal, approval_id)


class ApprovalAnswerView(ApprovalStepView):
    """``/approvals/{id}/answer``: the maker answers, and the next version waits."""

    @extend_schema(
        operation_id="approvals_answer", request=AnswerBodySerializer, parameters=[KEY], responses={200: dict}
    )
    def post(self, request: Request, approval_id: UUID) -> Response:
        principal, body = self.seen(approval_id), self.body(AnswerBodySerializer)
        return self.once(body, lambda: (200, self._answer(principal, approval_id, body["answer"])))

    def _answer(self, principal: Principal, approval_id: UUID, answer: str) -> dict[str, Any]:
        resubmit_request(actor=principal, at=utc_now(), authorisation_id=approval_id, answer=answer)
        return whole_answer(principal, approval_id)


class ApprovalWithdrawView(ApprovalStepView):
    """``/approvals/{id}/withdraw``: the maker takes it back."""

    @extend_schema(
        operation_id="approvals_withdraw", request=NothingSerializer, parameters=[KEY], responses={200: dict}
    )
    def post(self, request: Request, approval_id: UUID) -> Response:
        principal, body = self.seen(approval_id), self.body(NothingSerializer)
        return self.once(body, lambda: (200, self._withdraw(principal, approval_id)))

    def _withdraw(self, principal: Principal, approval_id: UUID) -> dict[str, Any]:
        return {"sentence": withdraw_approval(actor=principal, at=utc_now(), approval_id=approval_id)}


def whole_answer(principal: Principal, approval_id: UUID) -> dict[str, Any]:
    """One item as programs read it."""
    review = review_approval(actor=principal, approval_id=approval_id, at=utc_now())
    versions = list_versions(approval_id) if review.item.approval.version > 1 else []
    return review_answer(review, list_said(approval_id), versions)


def _said_before(principal: Principal, approval_id: UUID, body: dict[str, Any], error: OmsError) -> dict[str, Any]:
    """The answer to a decision that was made already, by this person and in these words; else the refusal."""
    if not isinstance(error, Conflict) or error.code != "AUTHORISATION_CLOSED":
        raise error
    mine = [
        said
        for said in list_said(approval_id)
        if said.checker == principal.username
        and (said.verdict, said.payload_hash) == (body["verdict"], body["payload_hash"])
    ]
    if not mine:
        raise error
    facts = get_approval(actor=principal, approval_id=approval_id, at=utc_now()).approval
    return {"outcome": _OUTCOMES.get(facts.state, RECORDED), "sentence": facts.outcome, "replayed": True}
