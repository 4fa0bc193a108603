"""Two desks at work and everybody who may knock: what tests of every address ask about.

``Doors`` holds rows of the first desk (``own``) to ask for, and calls an address as any of ``CALLERS``. A person brings
a session and a token, a service only its token, anonymous nothing. Every call is undone, so calls never meet.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.auth.models import Group
from django.db import transaction
from django.http import HttpResponse, SimpleCookie
from django.test import Client

from allocations.models import BlockFill, Confirmation, Scheme, WashAccount
from allocations.services import on_allocated_feed
from allocations.services.issue_note import issue_note
from allocations.services.on_allocated_confirm import confirm_blocks
from authorisation.domain.principal import Principal, process_principal
from authorisation.models import ApiKey, AuthorisationRequest, Session, User
from authorisation.services.open_review import open_review
from authorisation.session_store import SessionStore, digest_of
from journal.selectors import stream_records
from kernel.clock import utc_now
from kernel.fix import ExecType, OrdStatus
from kernel.ids import new_id
from operations.models import ExceptionItem
from orders.domain.report import Position, Report
from orders.domain.results import CaptureResult
from orders.models import Execution, Upload, UploadRow
from orders.services.apply_reports import apply_reports
from orders.services.capture_order import capture_order
from orders.services.record_hand_over import record_hand_over
from outbound.models import Subscription
from reconciliation.models import Break, Run
from refdata.models import PriceTick
from risk.models import Limit
from risk.services.engage_kill_switch import engage_kill_switch
from tests.factories import DeskWorld, make_desk, make_principal, set_price, terms
from tests.factories.actions import announce
from tests.factories.allocations import direct_trade, make_wash_account, open_block
from tests.factories.compared import make_breaks, make_run
from tests.factories.confirming import agree
from tests.factories.venues import make_session
from venues.models import WireMessage

CALLERS = ("anonymous", "own", "other", "auditor", "compliance", "service")
HELD_QTY = Decimal(60_000)  # above the warning of one order, so that it waits for a second person


@dataclass
class Doors:
    """The rows of the own desk by what an address needs to name them, and the callers."""

    own: DeskWorld
    other: DeskWorld
    people: dict[str, Principal]
    session_name: str
    sessions: dict[str, str] = field(default_factory=dict)
    orders: list[CaptureResult] = field(default_factory=list)
    approvals: list[UUID] = field(default_factory=list)
    exceptions: list[UUID] = field(default_factory=list)
    uploads: list[UUID] = field(default_factory=list)
    actions: list[UUID] = field(default_factory=list)
    stops: list[UUID] = field(default_factory=list)
    ticks: list[UUID] = field(default_factory=list)
    reviews: list[UUID] = field(default_factory=list)
    webhooks: list[UUID] = field(default_factory=list)
    runs: list[Run] = field(default_factory=list)
    breaks: list[Break] = field(default_factory=list)
    blocks: list[str] = field(default_factory=list)
    schemes: list[str] = field(default_factory=list)
    notes: list[UUID] = field(default_factory=list)
    confirmations: list[Confirmation] = field(default_factory=list)
    client: Client = field(default_factory=Client)
    wash: WashAccount | None = None
    strict_client: Client = field(default_factory=lambda: Client(enforce_csrf_checks=True))

    @property
    def order(self) -> CaptureResult:
        return self.orders[0]

    @property
    def stop_id(self) -> UUID:
        return self.stops[0]

    @property
    def review_id(self) -> UUID:
        """An access review of the dealers, which compliance reviews."""
        return self.reviews[0]

    @property
    def webhook_id(self) -> UUID:
        return self.webhooks[0]

    @property
    def run_id(self) -> UUID:
        """A run that found a break of every order; the one before it is the earlier run."""
        return self.runs[1].pk

    @property
    def break_ref(self) -> str:
        return self.breaks[0].ref

    @property
    def block_ref(self) -> str:
        return self.blocks[0]

    @property
    def scheme_code(self) -> str:
        """A saved scheme of the own desk."""
        return self.schemes[0]

    @property
    def confirmation_ref(self) -> str:
        """What people call the first of them."""
        return self.confirmations[0].ref

    @property
    def confirmation_id(self) -> UUID:
        """The same for programs."""
        return self.confirmations[0].id

    @property
    def tick_id(self) -> UUID:
        return self.ticks[0]

    @property
    def role_id(self) -> int:
        """The role of the dealers."""
        return int(Group.objects.get(name="dealer").pk)

    @property
    def limit_id(self) -> int:
        """The firm's limit of one order."""
        return int(Limit.objects.get(scope="firm", kind="order_qty").pk)

    @property
    def payload_hash(self) -> str:
        return AuthorisationRequest.objects.get(pk=self.approvals[0]).payload_hash

    def headers(self, caller: str) -> dict[str, str]:
        """The token of the caller, if any."""
        return {} if caller == "anonymous" else {"Authorization": f"Bearer oms_{caller}"}

    def call(
        self,
        method: str,
        path: str,
        data: dict[str, Any] | None = None,
        *,
        caller: str = "anonymous",
        csrf: bool = True,
        headers: dict[str, str] | None = None,
        before_undo: Callable[[], object] = lambda: None,
    ) -> HttpResponse:
        """The answer to one request; what it changed is undone, after ``before_undo`` has looked at it.

        ``csrf=False`` sends no token and demands one.
        """
        client = self.client if csrf else self.strict_client
        client.cookies = SimpleCookie()
        if caller in self.sessions:
            client.cookies[settings.SESSION_COOKIE_NAME] = self.sessions[caller]
        options: dict[str, Any] = {"headers": self.headers(caller) | (headers or {})}
        if path.startswith("/api/"):
            options["headers"] |= {"Idempotency-Key": str(new_id())}
            options |= {"data": json.dumps(data or {}), "content_type": "application/json"}
            if method in ("GET", "HEAD", "OPTIONS"):
                del options["data"], options["content_type"]
        elif method in ("GET", "POST", "HEAD"):
            options["data"] = data or {}
        with transaction.atomic():
            answer: HttpResponse = getattr(client, method.lower())(path, **options)
            if answer.streaming:
                b"".join(answer)  # the rows are read while they are sent
            before_undo()
            transaction.set_rollback(True)
        return answer

    def add(self, count: int) -> None:
        """``count`` more of everything on the own desk: orders released and held, exceptions, uploads, messages."""
        for _ in range(count):
            self.orders.append(self._capture())
            self._work(self.orders[-1], len(self.orders))
            held = self._capture(order_qty=HELD_QTY)
            assert held.authorisation_id is not None
            self.approvals.append(held.authorisation_id)
            self._add_exception()
            self._add_upload()
            self._add_message()
            self.actions.append(announce("cash_dividend", symbol=self.own.listing.symbol, reference=str(new_id())))
            self._add_stop()
            self._add_tick()
            self._add_webhook()
            self._add_break()
            self._add_block()
            self._add_note()
            self._add_confirmation()

    def _add_break(self) -> None:
        """A break of the own account about its newest order, in the second of two runs; the first saw none."""
        if not self.runs:
            at = utc_now()
            self.runs += [make_run(at=at - timedelta(days=1)), make_run(at=at)]
        order = self.orders[-1]
        about: dict[str, Any] = {
            "account_id": self.own.account.pk,
            "order_id": order.order_id,
            "ids": {"order_ref": order.ref},
        }
        self.breaks += make_breaks(self.runs[1], **about)

    def _add_block(self) -> None:
        """Two executions of a wash account of the own desk, unallocated, and a saved scheme of that desk."""
        number = len(self.blocks) + 1
        self.wash = self.wash or make_wash_account(self.own)
        made = open_block(self.own, [(600, "72.40"), (400, "72.50")], wash=self.wash, number=number, at=utc_now())
        self.blocks.append(made.ref)
        lines = [{"account": self.own.account.code, "weight": "1"}]
        saved = Scheme.objects.create(
            code=f"S-{number}", version=1, name="One", desk=self.own.desk, method="weights", lines=lines, event_id=new_id(),
            recorded_at=utc_now(),
        )  # fmt: skip
        self.schemes.append(saved.code)

    def _add_note(self) -> None:
        """A trade of the own account with its own contract note, and a line of the trade feed."""
        made = direct_trade(self.own, number=900 + len(self.notes))
        execution = Execution.objects.filter(order_id=self.order.order_id).order_by("recorded_at", "id")[0]
        execution.id, execution.identity = new_id(), f"note-{len(self.notes)}"
        execution.save(force_insert=True)
        BlockFill.objects.create(
            execution_id=execution.id, block=made.block, order_id=self.order.order_id, qty=1000, px=Decimal("72.45"), cash=0,
            event_id=new_id(), updated_at=utc_now(),
        )  # fmt: skip
        on_allocated_feed.handle(list(stream_records("allocations:direct"))[-1:])
        actor = process_principal("test")
        self.notes.append(issue_note(actor=actor, at=utc_now(), allocation_ref=made.lines[0].ref))

    def _add_confirmation(self) -> None:
        """A trade of a client's own order, which its counterparty confirms by file."""
        if not self.confirmations:
            agree(confirms_direct=True, channel="file")
        made = direct_trade(self.own, number=5000 + len(self.confirmations))
        confirm_blocks([made.block.id], at=made.block.created_at)
        self.confirmations.append(Confirmation.objects.get(allocation=made.lines[0]))

    def _add_webhook(self) -> None:
        at = utc_now()
        made = Subscription.objects.create(
            id=new_id(), name=f"hook-{len(self.webhooks)}", user_id=self.people["service"].user_id,
            url="https://hooks.example.com/", kinds=[], desks=[], authorisation_id=new_id(), created_at=at, state_at=at,
            state_reason="",
        )  # fmt: skip
        self.webhooks.append(made.id)

    def _add_tick(self) -> None:
        at = utc_now()
        values = {"source": "test", "made_at": at, "received_at": at, "last": Decimal("72.50"), "outcome": "applied"}
        self.ticks.append(PriceTick.objects.create(id=new_id(), listing_id=self.own.listing.id, **values).id)

    def _add_stop(self) -> None:
        """Of a strategy that nobody trades, pressed by our own process."""
        pressed = engage_kill_switch(
            actor=process_principal("test"),
            at=utc_now(),
            scopes=[("strategy", f"nobody-{len(self.stops)}")],
            reason="test",
        )
        self.stops.append(pressed.stops[0].stop_id)

    def _capture(self, **changes: Any) -> CaptureResult:
        return capture_order(
            actor=self.own.dealer,
            at=utc_now(),
            idempotency_key=str(new_id()),
            route="test",
            terms=terms(self.own, **changes),
            source="ticket",
        )

    def _work(self, order: CaptureResult, number: int) -> None:
        """The venue has accepted the order and filled a tenth of it."""
        at = utc_now()
        record_hand_over(request_ids=[order.request_id], at=at)
        taken = Report(
            msg_type="8",
            position=Position("1", 2 * number),
            identity=f"1:{2 * number}",
            received_at=at,
            event_at=at,
            trade_date=at.date(),
            exec_type=ExecType.NEW,
            ord_status=OrdStatus.NEW,
            cl_ord_id=order.cl_ord_id,
            venue_order_id=f"V{number}",
            exec_id=f"N{number}",
            session=self.session_name,
        )
        filled = replace(
            taken,
            position=Position("1", 2 * number + 1),
            identity=f"1:{2 * number + 1}",
            exec_type=ExecType.TRADE,
            ord_status=OrdStatus.PARTIALLY_FILLED,
            exec_id=f"F{number}",
            last_qty=Decimal(100),
            last_px=Decimal("72.50"),
        )
        apply_reports(reports=[taken, filled], at=at)

    def _add_exception(self) -> None:
        at, item_id = utc_now(), new_id()
        ExceptionItem.objects.create(
            id=item_id,
            kind="OVERFILL",
            subject=f"order {self.order.ref}",
            order_id=self.order.order_id,
            desk=self.own.desk,
            severity="high",
            sentence=f"Order {self.order.ref} needs a look.",
            evidence={"ref": self.order.ref},
            dedupe_key=str(item_id),
            owner_id=self.own.dealer.user_id,
            first_event_id=new_id(),
            raised_at=at,
            last_seen_at=at,
        )
        self.exceptions.append(item_id)

    def _add_upload(self) -> None:
        """An upload of the dealer; the first one grows by a refused row each time."""
        at, upload_id = utc_now(), new_id()
        upload = Upload.objects.create(
            id=upload_id,
            owner_id=self.own.dealer.user_id,
            file_name=f"orders-{len(self.uploads)}.csv",
            sha256=hashlib.sha256(upload_id.bytes).hexdigest(),
            rows_total=1,
            created_at=at,
            updated_at=at,
        )
        self.uploads.append(upload.id)
        UploadRow.objects.create(
            upload_id=self.uploads[0],
            number=len(self.uploads),
            raw={"account": self.own.account.code},
            outcome="invalid",
            code="BODY_INVALID",
            sentence="Malformed.",
        )

    def _add_message(self) -> None:
        """One more message about the first order on the session."""
        number = WireMessage.objects.count() + 1
        body = f"35=D\x0134={number}\x0149=OMS\x0156=VENUE\x0111={self.order.cl_ord_id}\x0155=VOD\x01"
        WireMessage.objects.create(
            direction="out",
            session=self.session_name,
            epoch="1",
            msg_seq_num=number,
            msg_type="D",
            cl_ord_id=self.order.cl_ord_id,
            raw=f"8=FIX.4.4\x019={len(body)}\x01{body}10=000\x01",
            sent_at=utc_now(),
            recorded_at=utc_now(),
        )


def make_doors() -> Doors:
    """EQ1 with one of everything, EQ2 with nothing, and a caller of each kind; prices are of now."""
    own, other = make_desk("EQ1", cash="100000000"), make_desk("EQ2")
    set_price(own.listing, "72.50", at=utc_now())
    Limit.objects.filter(kind="price_age").update(warn=3600)
    desks, groups = (own.desk,), (own.group,)
    people = {
        "own": own.dealer,
        "other": other.dealer,
        "auditor": make_principal(
            "auditor",
            role="auditor",
            rights=("search_audit",),
            desks=desks,
            groups=groups,
            trades=False,
            persona="auditor",
        ),
        "compliance": make_principal(
            "compliance",
            role="compliance",
            rights=("release_order", "review_access", "run_access_review", "see_access"),
            desks=desks,
            groups=groups,
            trades=False,
            persona="compliance",
        ),
        "service": make_principal(
            "service",
            role="service",
            rights=("enter_order",),
            desks=desks,
            groups=groups,
            persona="service",
            kind=User.Kind.SERVICE,
        ),
    }
    doors = Doors(own, other, people, make_session(mics=("XLON",)).name)
    for caller, principal in people.items():
        issue_token(principal, f"oms_{caller}")
        if caller != "service":
            doors.sessions[caller] = sign_in_as(principal)
    doors.add(1)
    doors.reviews.append(_open_review(doors))
    return doors


HEAD_RIGHTS = ("release_order", "cancel_order", "engage_kill_switch", "ask_risk_change")


def add_neighbours(doors: Doors) -> None:
    """The other client's people: of the same desk, granted the account group of another (a dealer, and one who decides and
    cancels), and somebody like the second of the other desk."""
    for caller, rights, desk in (
        ("neighbour", ("enter_order",), doors.own.desk),
        ("far_checker", HEAD_RIGHTS, doors.own.desk),
        ("far_head", HEAD_RIGHTS, doors.other.desk),
    ):
        made = make_principal(
            caller, role=f"role of {caller}", rights=rights, desks=(desk,), groups=(doors.other.group,)
        )
        doors.people[caller] = made
        issue_token(made, f"oms_{caller}")
        doors.sessions[caller] = sign_in_as(made)


def _open_review(doors: Doors) -> UUID:
    """Compliance alone reviews the dealers of both desks."""
    actor = doors.people["compliance"]
    everywhere = (doors.own.desk.pk, doors.other.desk.pk, None)
    return open_review(
        actor=actor,
        at=utc_now(),
        scope="role",
        scope_name="dealer",
        deadline_at=utc_now() + timedelta(days=14),
        reviewers={desk: [actor.user_id] for desk in everywhere},
        reason="test",
    ).id


def issue_token(principal: Principal, token: str) -> None:
    ApiKey.objects.create(
        id=new_id(),
        user_id=principal.user_id,
        name="test",
        prefix=token[:8],
        digest=hashlib.sha256(token.encode()).hexdigest(),
        created_at=utc_now(),
    )


def sign_in_as(principal: Principal) -> str:
    """The key of a session as signing in would leave it."""
    user = User.objects.get(pk=principal.user_id)
    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.save()
    assert session.session_key is not None
    later = utc_now() + timedelta(hours=1)  # so that no call notes its use, whenever the test comes to it
    Session.objects.filter(digest=digest_of(session.session_key)).update(last_used_at=later)
    return session.session_key
