"""The pages of access reviews: what each person sees, what a click does, the effect before the close, the evidence after it."""

from __future__ import annotations

import csv
import io
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import Group
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from authorisation.domain.principal import process_principal
from authorisation.models import AccessReview, AuthorisationRequest, ReviewLine, User
from authorisation.selectors import get_request
from authorisation.services.ask_review_close import ask_review_close
from authorisation.services.join_role import join_role
from journal.models import Event
from kernel.canonical import sha256
from operations.approving import KINDS
from operations.exporting import Heading
from operations.selectors.access_reviews import review_file
from tests.factories.doors import sign_in_as
from tests.factories.reviews import DEADLINE, GIVEN_AT, OPENED_AT, ReviewHouse, make_review_house

pytestmark = pytest.mark.django_db
PAGE = "/admin/access-review"


@pytest.fixture
def house() -> ReviewHouse:
    return make_review_house()


def browser(house: ReviewHouse, name: str) -> Client:
    """Signed in as that person."""
    client = Client()
    client.cookies[settings.SESSION_COOKIE_NAME] = sign_in_as(house.actor(name))
    return client


def text(answer: Any) -> str:
    return str(answer.content.decode())


def test_a_review_is_opened_as_typed(house: ReviewHouse) -> None:
    client = browser(house, "c.one")
    form = text(client.get(PAGE))
    assert "Open the review" in form
    reviewers = [f"{desk}:{house.user(name).pk}" for name in ("c.one", "c.two", "h.one") for desk in (house.desk.pk, 0)]
    assert all(f'value="{pair}"' in form for pair in reviewers)
    assert "d.one" not in form
    data = {"scope": "all", "deadline": "2099-01-01T10:00", "reason": "yearly", "reviewer": reviewers}
    refused = client.post(f"{PAGE}/open", data)
    assert (refused.status_code, "between an hour and 90 days" in text(refused)) == (400, True)
    assert client.post(f"{PAGE}/open", data | {"deadline": "soon"}).status_code == 400
    assert client.post(f"{PAGE}/open", data | {"reviewer": ["x:1"]}).status_code == 400
    assert AccessReview.objects.count() == 0
    now = house.open()
    assert "25" in text(client.get(PAGE))
    assert client.get(f"{PAGE}/{now}").status_code == 200


def test_a_reviewer_keeps_and_removes_and_sees_why_not(house: ReviewHouse) -> None:
    review_id = house.open()
    client = browser(house, "h.one")
    listed = text(client.get(f"{PAGE}/{review_id}"))
    assert "d.one is in the role trader" in listed
    assert "Open the review" not in text(client.get(PAGE))
    line = house.line(review_id, user__username="d.one", role="trader")
    path = f"{PAGE}/{review_id}/lines/{line.number}"
    assert "Keep: d.one is in the role trader" in text(client.get(path))
    empty = client.post(f"{path}/certify", {"verdict": "keep"}, headers={"HX-Request": "true"})
    assert (empty.status_code, "Say why." in text(empty)) == (400, True)
    kept = client.post(f"{path}/certify", {"verdict": "remove", "reason": "left"}, headers={"HX-Request": "true"})
    assert (kept.headers["HX-Trigger"], "it ends with the close" in text(kept)) == ("review-moved", True)
    own = house.line(review_id, user__username="h.one", role="supervisor")
    shown = text(client.get(f"{PAGE}/{review_id}/lines/{own.number}"))
    assert 'data-why="It is your own access."' in shown
    refused = client.post(f"{PAGE}/{review_id}/lines/{own.number}/certify", {"verdict": "keep", "reason": "mine"})
    assert refused.status_code == 403
    assert ReviewLine.objects.get(pk=own.pk).state == "unreviewed"
    others = [row.number for row in ReviewLine.objects.filter(role="trader", state="unreviewed")]
    answer = text(client.post(f"{PAGE}/{review_id}/keep", {"number": [*others, own.number], "reason": "known"}))
    assert f"{len(others)} kept" in answer
    assert f"line {own.number}: It is your own access." in answer


@pytest.mark.parametrize("name", ["d.one", "d.two"])
def test_who_has_no_part_in_it_has_no_page(house: ReviewHouse, name: str) -> None:
    review_id = house.open()
    client = browser(house, name)
    for path in (PAGE, f"{PAGE}/{review_id}", f"{PAGE}/{review_id}/evidence", f"{PAGE}/{review_id}/lines/1"):
        assert client.get(path).status_code == 403
    assert "Reviews" not in text(client.get("/preferences"))


def test_the_checker_reads_the_dry_run_of_the_close(house: ReviewHouse) -> None:
    review_id = house.open()
    for name in ("d.one", "d.two"):
        house.say("h.one", house.line(review_id, user__username=name, role="trader"), "remove")
    grant = house.line(review_id, kind="grant", role="reviewing:A")
    house.keep_rest(review_id, but=(grant.number,))
    asked = ask_review_close(actor=house.actor("c.one"), at=DEADLINE, review_id=review_id, reason="done")
    facts = get_request(house.actor("c.two"), asked.id, at=DEADLINE).facts
    describe = KINDS["access_review"].describe
    assert describe is not None
    effect = describe(house.actor("c.two"), facts, DEADLINE)
    assert effect.headline == (
        "Closes the access review of everybody: 22 are kept, 1 removed, 1 lapse unreviewed, 1 stay because nobody else would "
        "hold them, 0 had ended already."
    )
    assert effect.button == "end 2 grants"
    assert [(line.label, line.then) for line in effect.lines] == [
        ("d.one is in the role trader", "ends"),
        ("d.two is in the role trader", "stays: last holder"),
        ("The role reviewing:A may view_desk on A", "ends: nobody reviewed it"),
    ]
    assert effect.warnings[0] == "Who loses something (3): c.one, c.two, d.one."
    assert effect.warnings[1].startswith("You are among them")
    page = text(browser(house, "c.two").get(f"/approvals?view=all&id={asked.id}"))
    assert "end 2 grants" in page


def test_the_evidence_is_the_same_bytes_for_ever_and_its_taking_is_on_record(house: ReviewHouse) -> None:
    review_id = house.open(scope="role", scope_name="trader")
    house.say("h.one", house.line(review_id, user__username="d.two"), "remove", reason="=left(1)")
    house.keep_rest(review_id)
    house.close(review_id)
    files = [
        review_file(actor=house.actor(name), review_id=review_id, heading=Heading("x", name, at), form=form)
        for name, at in (("c.one", DEADLINE), ("adm.one", DEADLINE + timedelta(days=400)))
        for form in ("csv", "pdf")
    ]
    assert files[:2] == files[2:]
    assert files[1].body.startswith(b"%PDF")
    assert [sha256(one.body).hex() for one in files] == [one.sha256 for one in files]
    rows = list(csv.reader(io.StringIO(files[0].body.decode())))
    titles = next(row for row in rows if row[:1] == ["Line"])
    lines = [dict(zip(titles, row, strict=True)) for row in rows[rows.index(titles) + 1 :]]
    assert len(lines) == AccessReview.objects.get().lines_total
    ended = next(line for line in lines if line["Who has what"] == "d.two is in the role trader")
    assert (ended["State"], ended["Said by"], ended["Given by"]) == ("Removed", "h.one", "adm.one")
    assert ended["Why"] == "'=left(1)"
    answer = browser(house, "c.one").get(f"{PAGE}/{review_id}/evidence?form=pdf")
    assert (answer.headers["X-Content-SHA256"], answer.content) == (files[1].sha256, files[1].body)
    taken = Event.objects.filter(kind="RecordsExported").latest("position")
    assert (taken.payload["sha256"], taken.actor) == (files[1].sha256, house.actor("c.one").actor)
    assert browser(house, "c.one").get(f"{PAGE}/{review_id}/evidence?form=exe").status_code == 400


def test_a_review_costs_the_same_statements_for_few_and_many_lines(house: ReviewHouse) -> None:
    few = house.open(scope="role", scope_name="supervisor")
    users = [User(username=f"more.{number}", date_joined=GIVEN_AT, desk=house.desk) for number in range(30)]
    for user in User.objects.bulk_create(users):
        join_role(actor=process_principal("test"), at=GIVEN_AT, user=user, roles=[Group.objects.get(name="trader")])
    many = house.open(scope="role", scope_name="trader", at=OPENED_AT + timedelta(hours=1))
    client = browser(house, "c.one")
    counts = []
    for review_id in (few, many):
        for part in ("", "?view=all&part=1", "?view=mine", "/lines/1", "/evidence?form=csv"):
            client.get(f"{PAGE}/{review_id}{part}")
            with CaptureQueriesContext(connection) as sent:
                assert client.get(f"{PAGE}/{review_id}{part}").status_code == 200
            counts.append(len(sent))
    assert counts[:5] == counts[5:]
    assert AuthorisationRequest.objects.count() == 0
