"""axe finds nothing on any page, in light, dark and forced colours, wide and narrow.

A page of the house that is neither here nor named in NOT_PAGES fails: a new page is looked at or the reason is written.
"""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from typing import Any

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page

from tests.architecture.addresses import ADDRESSES
from tests.journeys.conftest import SignIn
from tests.journeys.house import ROOT, House
from tests.journeys.test_access_review import open_review
from tests.journeys.test_approval import queue_order

pytestmark = pytest.mark.ui

DEALER, OPERATIONS, RISK, COMPLIANCE, ADMINISTRATOR = "a.khan", "r.silva", "s.patel", "c.young", "t.novak"
AUDITOR = "l.berg"


@dataclass(frozen=True)
class Seen:
    """A page as one person opens it. ``found`` is the statement that finds what its address names."""

    who: str
    path: str
    found: str = ""


PAGES: dict[str, Seen] = {
    "preferences": Seen(DEALER, "/preferences"),
    "account/sessions": Seen(DEALER, "/account/sessions"),
    "account/factors": Seen(DEALER, "/account/factors"),
    "account/password": Seen(DEALER, "/account/password"),
    "account/step-up": Seen(DEALER, "/account/step-up"),
    "desk": Seen(DEALER, "/desk"),
    "venues": Seen(DEALER, "/venues"),
    "venues/<str:name>": Seen(DEALER, "/venues/{0}", "SELECT name FROM venues_fixsession ORDER BY name"),
    "o/new": Seen(DEALER, "/o/new"),
    "o/<str:name>": Seen(DEALER, "/o/{0}", "SELECT ref FROM orders_order ORDER BY id"),
    "o/<str:name>/as-at/<int:seq>": Seen(DEALER, "/o/{0}/as-at/1", "SELECT ref FROM orders_order ORDER BY id"),
    "exceptions": Seen(DEALER, "/exceptions"),
    "exceptions/<uuid:item_id>": Seen(OPERATIONS, "/exceptions/{0}", "SELECT id FROM operations_exceptionitem"),
    "recon": Seen(OPERATIONS, "/recon"),
    "sync": Seen(OPERATIONS, "/sync"),
    "sync/gates": Seen(OPERATIONS, "/sync/gates"),
    "sync/restart": Seen(OPERATIONS, "/sync/restart"),
    "settlement": Seen(OPERATIONS, "/settlement"),
    "sync/<uuid:intake_id>": Seen(OPERATIONS, "/sync/{0}", "SELECT id FROM reconciliation_intake ORDER BY created_at"),
    "recon/ageing": Seen(OPERATIONS, "/recon/ageing"),
    "recon/reports": Seen(OPERATIONS, "/recon/reports"),
    "recon/reports/<slug:name>": Seen(OPERATIONS, "/recon/reports/fills"),
    "recon/rules": Seen(OPERATIONS, "/recon/rules?edit=policy%3Acash%3Aquantity"),
    "recon/<uuid:run_id>": Seen(
        OPERATIONS, "/recon/{0}", "SELECT run_id FROM reconciliation_runbreak ORDER BY id LIMIT 1"
    ),
    "recon/<uuid:run_id>/difference": Seen(
        OPERATIONS, "/recon/{0}/difference", "SELECT run_id FROM reconciliation_runbreak ORDER BY id DESC LIMIT 1"
    ),
    "b/<str:ref>": Seen(
        OPERATIONS, "/b/BRK-{0}", "SELECT lpad(number::text, 6, '0') FROM reconciliation_break ORDER BY number"
    ),
    "notes": Seen(OPERATIONS, "/notes"),
    "notices": Seen(OPERATIONS, "/notices"),
    "runbooks": Seen(OPERATIONS, "/runbooks"),
    "runbooks/<str:number>": Seen(OPERATIONS, "/runbooks/R-01"),
    "b/<str:ref>/matching": Seen(
        OPERATIONS, "/b/BRK-{0}/matching", "SELECT lpad(number::text, 6, '0') FROM reconciliation_break ORDER BY number"
    ),
    "alloc": Seen(DEALER, "/alloc?view=all"),
    "alloc/fairness": Seen(DEALER, "/alloc/fairness"),
    "alloc/schemes": Seen(DEALER, "/alloc/schemes?code={0}", "SELECT code FROM allocations_scheme ORDER BY code"),
    "confirmations": Seen(OPERATIONS, "/confirmations"),
    "uploads": Seen(DEALER, "/uploads"),
    "uploads/<uuid:upload_id>": Seen(DEALER, "/uploads/{0}", "SELECT id FROM orders_upload"),
    "search": Seen(DEALER, "/search?q=AC4480"),
    "prices": Seen(DEALER, "/prices"),
    "prices/<str:symbol>": Seen(DEALER, "/prices/VOD.L"),
    "approvals": Seen(COMPLIANCE, "/approvals"),
    "approvals/<uuid:approval_id>": Seen(
        COMPLIANCE, "/approvals?id={0}", "SELECT id FROM authorisation_authorisationrequest WHERE state = 'pending'"
    ),
    "risk": Seen(RISK, "/risk"),
    "risk/rates": Seen(RISK, "/risk/rates"),
    "risk/kill/<uuid:stop_id>": Seen(RISK, "/risk/kill/{0}", "SELECT id FROM risk_block WHERE source = 'kill_switch'"),
    "risk/limits": Seen(RISK, "/risk/limits"),
    "risk/rules": Seen(RISK, "/risk/rules"),
    "positions": Seen(OPERATIONS, "/positions"),
    "positions/<str:code>": Seen(OPERATIONS, "/positions/AC4480"),
    "positions/<str:code>/<str:what>/<str:figure>": Seen(OPERATIONS, "/positions/AC4480/GBP/settled"),
    "admin/retention": Seen(COMPLIANCE, "/admin/retention"),
    "corporate-actions": Seen(OPERATIONS, "/corporate-actions"),
    "admin/webhooks": Seen(ADMINISTRATOR, "/admin/webhooks"),
    "admin/webhooks/<uuid:subscription_id>": Seen(
        ADMINISTRATOR, "/admin/webhooks/{0}", "SELECT id FROM outbound_subscription"
    ),
    "admin/access-review": Seen(COMPLIANCE, "/admin/access-review"),
    "admin/access-review/<uuid:review_id>": Seen(
        COMPLIANCE,
        "/admin/access-review/{0}?view=all&line=1",
        "SELECT id FROM authorisation_accessreview WHERE state = 'open'",
    ),
    "audit": Seen(AUDITOR, "/audit?kind=order"),
    "audit/<str:kind>/<str:key>": Seen(AUDITOR, "/audit/order/{0}", "SELECT ref FROM orders_order ORDER BY id"),
    "approvals/policies": Seen(ADMINISTRATOR, "/approvals/policies"),
    "approvals/digest": Seen(AUDITOR, "/approvals/digest"),
    "approvals/together": Seen(
        COMPLIANCE,
        "/approvals/together?ids={0}",
        "SELECT id FROM authorisation_authorisationrequest WHERE state = 'pending'",
    ),
    "admin/access": Seen(ADMINISTRATOR, "/admin/access"),
    "admin/access/people/<int:user_id>": Seen(
        ADMINISTRATOR, "/admin/access/people/{0}", "SELECT id FROM authorisation_user WHERE username = 'a.khan'"
    ),
    "admin/access/roles/<int:role_id>": Seen(
        ADMINISTRATOR, "/admin/access/roles/{0}", "SELECT id FROM auth_group WHERE name LIKE 'dealer%%'"
    ),
    "admin/keys": Seen(ADMINISTRATOR, "/admin/keys"),
}
NOT_PAGES = {
    "": "leads on",
    "healthz": "for machines",
    "readyz": "for machines",
    "sign-in": "scanned before anybody is in",
    "sign-in/second": "scanned by the journey of signing in",
    "sign-in/enrol": "the same fields as account/factors/new, in the frame of sign-in/second",
    "sign-in/link": "scanned by the journey of signing in",
    "sign-in/link/<str:token>": "leads on",
    "account/factors/new": "scanned by the journey of signing in",
    "frame/status": "part of every page",
    "settlement/<str:ref>": "scanned by the journey of post-trade",
    "alloc/<str:ref>": "scanned by the journey of post-trade",
    "alloc/<str:ref>/lines.json": "data",
    "desk/rows.json": "data",
    "ticket/lists.json": "data",
    "o/cancel": "confirmation in the frame of the order page",
    "o/<str:name>/amend": "opens on a working order only; the same form as the ticket",
    "risk/limits/new": "part of the limits page",
    "risk/limits/<int:limit_id>": "part of the limits page",
    "risk/kill/reach": "part of the stops page",
    "risk/trials/<uuid:trial_id>": "needs a back-test that ran",
    "confirmations/<str:ref>": "scanned by the journey of post-trade",
    "recon/<uuid:run_id>/progress": "part of the run's page",
    "recon/<uuid:run_id>/report": "a file",
    "notes/<uuid:note_id>": "needs a note, which a market's end issues",
    "notes/<uuid:note_id>/pdf": "a file",
    "sync/<uuid:intake_id>/rejects": "a file",
    "sync/<uuid:intake_id>/changes": "a file",
    "uploads/<uuid:upload_id>/progress": "part of the upload's page",
    "uploads/<uuid:upload_id>/errors.csv": "a file",
    "positions/<str:code>/positions.csv": "a file",
    "prices/ticks/<uuid:tick_id>": "needs a price feed",
    "admin/access-review/<uuid:review_id>/lines/<int:number>": "part of the review's page",
    "admin/access-review/<uuid:review_id>/evidence": "a file",
    "corporate-actions/<uuid:action_id>": "opened by the journey of corporate actions",
}
EVERYTHING = {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
COLOURS = {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}
SHAPE = {"type": "rule", "values": ["target-size", "scrollable-region-focusable", "color-contrast", "region"]}
# What a scheme does not change is asked once.
LOOKS: tuple[tuple[str, dict[str, Any], tuple[int, int], dict[str, Any]], ...] = (
    ("light", {"color_scheme": "light", "forced_colors": "none"}, (1280, 900), EVERYTHING),
    ("dark", {"color_scheme": "dark", "forced_colors": "none"}, (1280, 900), COLOURS),
    ("forced, narrow", {"color_scheme": "light", "forced_colors": "active"}, (640, 900), SHAPE),
)
SOMETHING_WRONG = """INSERT INTO operations_exceptionitem (id, kind, subject, desk_id, severity, sentence, evidence, dedupe_key,
  occurrences, owner_group, state, first_event_id, sources, closing_sentence, raised_at, last_seen_at)
  SELECT gen_random_uuid(), 'to_look_at', 'the page', NULL, 'low', 'Something to look at.', '{"what": "a page"}', 'axe', 1,
  'operations', 'unreviewed', gen_random_uuid(), '[]', '', now(), now()"""
SOMETHING_SENT = """WITH made AS (
  INSERT INTO outbound_subscription (id, name, user_id, url, kinds, desks, authorisation_id, created_at, state, state_reason,
    state_at, failures, last_error)
  SELECT gen_random_uuid(), 'axe', id, 'https://hooks.example.com/', '[]', '[]', gen_random_uuid(), now(), 'paused',
    'To be looked at.', now(), 0, '' FROM authorisation_user WHERE username = 'pms-alpha' RETURNING id)
  INSERT INTO outbound_deliveryattempt (subscription_id, position, event_id, stream, kind, attempt, tried_at, outcome, ms, error)
  SELECT id, 1, gen_random_uuid(), 'order:x', 'order.reported', n, now(), (ARRAY['arrived', 'failed', 'dead'])[n], 3, ''
    FROM made, generate_series(1, 3) AS n"""
LET_GO = """
import django; django.setup()
from authorisation.models import AuthorisationRequest, User
from authorisation.selectors import get_principal
from kernel.clock import utc_now
from risk.models import Block
from risk.services.decide_stop_release import decide_stop_release
from risk.services.request_stop_release import request_stop_release
one, other = (get_principal(User.objects.get(username=name)) for name in ("s.patel", "c.young"))
stop = Block.objects.get(source="kill_switch", scope_id="AXE", lifted_at=None)
question = request_stop_release(actor=one, at=utc_now(), stop_id=stop.id, reason="looked at")
asked = AuthorisationRequest.objects.get(id=question.authorisation_id)
decide_stop_release(actor=other, at=utc_now(), authorisation_id=asked.id, verdict="approve", reason_code="", reason="",
                    payload_hash=asked.payload_hash)
"""  # other journeys press and count stops in the same house
COMPARED = """
import django; django.setup()
from datetime import timedelta
from kernel.clock import utc_now
from tests.factories.compared import end_break, make_breaks, make_file, make_run, saw
at = utc_now()
earlier, run = make_run(at=at - timedelta(days=1)), make_run(at=at, file=make_file())
stood, gone = make_breaks(earlier, 2)
saw(run, [stood])
end_break(gone)
make_breaks(run, 2, category="quantity", candidates=[{"exec_id": "9F77"}], ours={"cum_qty": "19800"},
            differences=[{"field": "cum_qty", "ours": "19800", "theirs": "20000", "difference": "200"}])
from kernel.ids import new_id
from reconciliation.domain.intake_rules import issue
from reconciliation.models import Intake
taken = Intake.objects.create(id=new_id(), file=make_file(kind="cash"), kind="cash", source="BANK", day=at.date(), cut_at=at,
    started_by="process:test", created_at=at, stepped_at=at, rows=9, refused=1,
    issues=[issue("ACCOUNT_UNKNOWN", 1, [(3, "NOBODY")]).to_json()],
    totals={"GBP": {"before": "10", "after": "12.5", "settled_now": "0", "unexplained": "2.5"}})
taken.wait()
taken.save()
"""
RUN = """(rules) => axe.run(document, {runOnly: rules, resultTypes: ['violations']}).then((found) => found.violations.flatMap(
  (one) => one.nodes.slice(0, 3).map((node) => `${one.id}: ${node.html.slice(0, 160)} ${(node.any[0] || {}).message || ''}`)))"""


def test_every_page_is_looked_at() -> None:
    pages = {
        pattern
        for pattern, doors in ADDRESSES.items()
        if not pattern.startswith("api/") and not pattern.endswith("/export") and any(d.method == "GET" for d in doors)
    }
    known = set(PAGES) | set(NOT_PAGES)
    assert pages - known == set(), "add it to PAGES, or say in NOT_PAGES why not"
    assert known - pages == set(), "no page any more"


def scan(page: Page, path: str) -> list[str]:
    """What axe says of the page in each look."""
    page.evaluate(AXE_SCRIPT)
    found: list[str] = []
    for name, media, (width, height), rules in LOOKS:
        page.set_viewport_size({"width": width, "height": height})
        page.emulate_media(**media)
        found += [f"{path} {name}: {fault}" for fault in page.evaluate(RUN, rules)]
    return found


@pytest.mark.timeout(400)  # a busy machine: a quiet one needs a tenth
def test_axe_finds_nothing(house: House, sign_in: SignIn) -> None:
    maker, _ = queue_order(house, sign_in, "1,700")
    house.fresh_prices()
    wrong: list[str] = []
    post(
        maker,
        "/uploads/new",
        file=("a.csv", "account,symbol,side,ord_type,order_qty,price\nAC4480,VOD.L,buy,limit,x,72\n"),
    )
    head = sign_in(RISK, path="/risk")
    post(head, "/risk/kill", scope="strategy", name="AXE", typed="AXE", reason="to be looked at")
    house.sql(SOMETHING_WRONG)
    house.sql(SOMETHING_SENT)
    subprocess.run([sys.executable, "-c", COMPARED], cwd=ROOT, env=house.environment, check=True, timeout=120)
    office = sign_in(COMPLIANCE, path="/admin/access-review")
    open_review(office, "auditor")
    pages = {DEALER: maker, RISK: head, COMPLIANCE: office}
    for seen in PAGES.values():
        page = pages.get(seen.who) or pages.setdefault(seen.who, sign_in(seen.who))
        rows = house.sql(seen.found) if seen.found else []
        if seen.found and not rows:
            wrong.append(f"{seen.path}: nothing to look at")
            continue
        path = seen.path.format(*(rows[0] if rows else ()))
        answer = page.goto(house.url + path)
        assert answer is not None
        assert answer.status == 200, path
        wrong += scan(page, path)
    maker.context.clear_cookies()
    maker.goto(f"{house.url}/sign-in")
    wrong += scan(maker, "/sign-in")
    subprocess.run([sys.executable, "-c", LET_GO], cwd=ROOT, env=house.environment, check=True, timeout=120)
    assert not wrong, "\n".join(wrong)


def post(page: Page, path: str, *, file: tuple[str, str] | None = None, **fields: str) -> None:
    """A form of the house, posted with the page's own session and token."""
    token = page.evaluate("JSON.parse(document.body.getAttribute('hx-headers'))['X-CSRFToken']")
    form: dict[str, Any] = dict(fields)
    if file is not None:
        form["file"] = {"name": file[0], "mimeType": "text/csv", "buffer": file[1].encode()}
    answer = page.request.post(
        page.url.split("/", 3)[0] + "//" + page.url.split("/")[2] + path, multipart=form, headers={"X-CSRFToken": token}
    )
    assert answer.status < 400, (path, answer.status, answer.text()[:500])
