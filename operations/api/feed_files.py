"""The API of files: bring one, read what was found in it, follow it into the books.

What a file is follows from its feed, by name and kind, or from what its bringer says. Its bytes are kept and looked at in the
call, and no more: a worker takes it in or compares it, and the answer says where to look. For whom ``/sync`` answers.
"""

from __future__ import annotations

from typing import IO, Any, BinaryIO, cast
from uuid import UUID

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers, status
from rest_framework.parsers import BaseParser
from rest_framework.request import Request
from rest_framework.response import Response

from authorisation.domain.principal import Principal
from authorisation.domain.scopes import RECONCILIATION_READ, RECONCILIATION_WRITE
from kernel.clock import utc_now
from kernel.errors import Invalid, Refused
from operations.api.feed_file_documents import BroughtAnswer, FileAnswer, FilesAnswer, IntakeAnswer, IntakesAnswer
from operations.navigation import require_page
from operations.selectors.sync import get_intake
from orders.api.reading import UNREADABLE
from orders.api.views import KEY, OrderApiView
from reconciliation.domain.file_faults import FaultCode
from reconciliation.domain.records import START_OF_DAY, Kind
from reconciliation.kept_files import TooLarge, keep_stream
from reconciliation.models import FeedFile, Intake
from reconciliation.permissions import require_work
from reconciliation.selectors.feeds import find_feed
from reconciliation.selectors.files import file_to_json, get_file, list_files, list_intakes
from reconciliation.selectors.intakes import intake_to_json
from reconciliation.services.begin_intake import begin_intake
from reconciliation.services.receive_file import Received, receive_file
from reconciliation.services.start_intake import start_intake

KINDS = [kind.value for kind in Kind]
LARGEST = 256 << 20
"""Bytes of a file that is brought through the API; a larger one goes by a watched folder."""
NAME = serializers.RegexField(r"^[A-Za-z0-9][A-Za-z0-9._ +-]{0,199}$")
SIGNATURE = OpenApiParameter(
    "X-Signature", str, OpenApiParameter.HEADER,
    description="Of a signed feed: Ed25519 over the hexadecimal SHA-256 of the file, in hexadecimal or base64, as in <file>.sig",
)  # fmt: skip


class RawFileParser(BaseParser):
    """``application/octet-stream``, handed on as a stream: nothing of it is held in memory."""

    media_type = "application/octet-stream"

    def parse(self, stream: IO[Any], media_type: str | None = None, parser_context: Any = None) -> Any:
        return stream


class FileApiView(OrderApiView):
    """What the views below share: they answer for whom the page of the start of day answers."""

    def principal(self) -> Principal:
        """Who asks. Raises NotPermitted PAGE_NOT_YOURS."""
        actor = super().principal()
        require_page(actor, "/sync")
        return actor

    def chosen(self, *names: str) -> dict[str, str]:
        """Filters of a list. Raises Invalid PARAMETERS_INVALID."""
        found = {name: self.request.query_params.get(name, "") for name in names}
        wrong = {name: ["Holds a NUL character."] for name, text in found.items() if "\x00" in text}
        if wrong:
            raise Invalid("PARAMETERS_INVALID", UNREADABLE, wrong)
        return found

    def before(self) -> UUID | None:
        """The place from which a list goes on."""
        text = self.request.query_params.get("before", "")
        try:
            return UUID(text) if text else None
        except ValueError as problem:
            raise Invalid("PARAMETERS_INVALID", UNREADABLE, {"before": ["Not a next of ours."]}) from problem


class FilesView(FileApiView):
    """``/feed-files``: bring one; list those that are kept, newest first, 50 at a time."""

    scopes = {"GET": RECONCILIATION_READ, "POST": RECONCILIATION_WRITE}
    parameters = {"GET": ("kind", "source", "state", "before"), "POST": ("name", "kind", "source")}
    parser_classes = [RawFileParser]

    @extend_schema(
        operation_id="feed_files_create",
        request={"application/octet-stream": OpenApiTypes.BINARY},
        parameters=[
            KEY,
            SIGNATURE,
            OpenApiParameter(
                "name", str, required=True, description="Of the file: by it and the kind its feed is known"
            ),
            OpenApiParameter("kind", str, enum=KINDS, required=True, description="What it is about"),
            OpenApiParameter(
                "source", str, description="Whose word it is, where there is no feed and the file does not say"
            ),
        ],
        responses={202: BroughtAnswer, 422: BroughtAnswer},
    )
    def post(self, request: Request) -> Response:
        actor = self.principal()
        require_work(actor)
        self.key()  # before anything is kept
        asked = self._asked()
        feed = find_feed(asked["name"], kind=asked["kind"])
        try:
            kept = keep_stream(self._content(), limit=min(feed.largest, LARGEST) if feed else LARGEST)
        except TooLarge as problem:
            raise Refused(
                FaultCode.TOO_LARGE.value, f"More than {LARGEST:,} bytes do not come this way. None were kept."
            ) from problem
        signature = request.headers.get("X-Signature", "")[:200].encode()
        said = {**asked, "sha256": kept.sha256, "signature": signature.decode()}

        def work() -> tuple[int, Any]:
            with kept.path.open("rb") as content:
                received = receive_file(
                    actor=actor, at=utc_now(), name=asked["name"], content=content, kind=asked["kind"], source=asked["source"],
                    feed=feed, signature=signature,
                )  # fmt: skip
            return self._brought(received, actor)

        answer = self.once(said, work)
        intake = answer.data.get("intake")
        if intake and intake["state"] == "staged" and "Idempotency-Replayed" not in answer.headers:
            start_intake(
                intake_id=UUID(intake["intake_id"])
            )  # once its row is committed; a lost word is made good by the beat
        return answer

    def _content(self) -> BinaryIO:
        """Raises Invalid BODY_INVALID for a call without bytes."""
        content = self.request.data
        if not hasattr(content, "read"):
            raise Invalid("BODY_INVALID", "Send the bytes of the file as the body.")
        return cast("BinaryIO", content)

    def _asked(self) -> dict[str, str]:
        """Name, kind and source. Raises Invalid PARAMETERS_INVALID."""
        query, wrong = self.request.query_params, {}
        asked = {name: query.get(name, "") for name in ("name", "kind", "source")}
        try:
            NAME.run_validation(asked["name"])
        except serializers.ValidationError:
            wrong["name"] = ["Letters, digits and . _ + - with no path, 1 to 200 of them."]
        if asked["kind"] not in KINDS:
            wrong["kind"] = [f"One of {', '.join(KINDS)}."]
        if len(asked["source"]) > 40 or not asked["source"].isprintable():
            wrong["source"] = ["At most 40 printable characters."]
        if wrong:
            raise Invalid("PARAMETERS_INVALID", UNREADABLE, wrong)
        return asked

    def _brought(self, received: Received, actor: Principal) -> tuple[int, dict[str, Any]]:
        faults = [{"code": one.code.value, "sentence": one.sentence, "refuses": one.refuses} for one in received.faults]
        if received.file_id is None:
            raise Refused(faults[0]["code"], faults[0]["sentence"])  # type: ignore[arg-type]
        file = get_file(received.file_id)
        answer: dict[str, Any] = {
            "file": file_to_json(file), "duplicate": received.duplicate, "faults": faults, "intake": None, "look_at": None,
        }  # fmt: skip
        if not received.taken:
            return status.HTTP_422_UNPROCESSABLE_ENTITY, answer
        if file.kind in START_OF_DAY:
            intake = _intake_of(file, duplicate=received.duplicate) or begin_intake(
                actor=actor, at=utc_now(), file_id=file.pk
            )
            answer |= {"intake": intake_to_json(intake), "look_at": f"/api/v1/intakes/{intake.pk}"}
        else:
            answer["look_at"] = f"/api/v1/reconciliation-runs?kind={file.kind}"
        return status.HTTP_202_ACCEPTED, answer

    @extend_schema(
        operation_id="feed_files_list",
        parameters=[
            OpenApiParameter("kind", str, enum=KINDS, description="Only of this kind"),
            OpenApiParameter("source", str, description="Only of this source"),
            OpenApiParameter("state", str, enum=FeedFile.State.values, description="Only in this state"),
            OpenApiParameter("before", str, description="The next of the page before"),
        ],
        responses={200: FilesAnswer},
    )
    def get(self, request: Request) -> Response:
        self.principal()
        rows, following = list_files(before=self.before(), **self.chosen("kind", "source", "state"))
        return Response({"files": [file_to_json(one) for one in rows], "next": str(following) if following else None})


def _intake_of(file: FeedFile, *, duplicate: bool) -> Intake | None:
    """What became of a file that is brought again: it is not begun anew."""
    if not duplicate:
        return None
    return Intake.objects.filter(file=file).select_related("file").order_by("-created_at", "-id").first()


class FileView(FileApiView):
    """``/feed-files/{id}``: one kept file with what was found in it."""

    scopes = {"GET": RECONCILIATION_READ}

    @extend_schema(operation_id="feed_files_get", responses={200: FileAnswer})
    def get(self, request: Request, file_id: UUID) -> Response:
        self.principal()
        return Response(file_to_json(get_file(file_id)))


class IntakesView(FileApiView):
    """``/intakes``: files of the start of day on their way into the books, newest first, 50 at a time."""

    scopes = {"GET": RECONCILIATION_READ}
    parameters = {"GET": ("kind", "source", "state", "before")}

    @extend_schema(
        operation_id="intakes_list",
        parameters=[
            OpenApiParameter("kind", str, enum=[kind.value for kind in START_OF_DAY], description="Only of this kind"),
            OpenApiParameter("source", str, description="Only of this source"),
            OpenApiParameter("state", str, description="Only in this state"),
            OpenApiParameter("before", str, description="The next of the page before"),
        ],
        responses={200: IntakesAnswer},
    )
    def get(self, request: Request) -> Response:
        self.principal()
        rows, following = list_intakes(before=self.before(), **self.chosen("kind", "source", "state"))
        return Response(
            {"intakes": [intake_to_json(one) for one in rows], "next": str(following) if following else None}
        )


class IntakeView(FileApiView):
    """``/intakes/{id}``: one of them: how far it is, what is wrong with it, totals before and after."""

    scopes = {"GET": RECONCILIATION_READ}

    @extend_schema(operation_id="intakes_get", responses={200: IntakeAnswer})
    def get(self, request: Request, intake_id: UUID) -> Response:
        self.principal()
        return Response(intake_to_json(get_intake(intake_id)))
