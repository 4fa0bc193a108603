"""The bar, the palette and the guards are one table: what is offered answers, what is not offered is refused."""

from __future__ import annotations

import re

import pytest

from authorisation.domain.principal import ADMINISTER_USERS, ENTER_ORDER, Principal
from operations.navigation import HOME, PAGES, home_of, page_at, pages_of
from tests.factories import make_principal
from tests.factories.doors import Doors, sign_in_as

PEOPLE = ("own", "other", "auditor", "compliance", "administrator", "nobody")


@pytest.fixture
def people(doors: Doors) -> Doors:
    """The callers of every address, an administrator without a desk, and somebody who was granted nothing."""
    for name, rights in (("administrator", (ADMINISTER_USERS,)), ("nobody", ())):
        principal = make_principal(f"the {name}", role=f"role of {name}", rights=rights)
        doors.people[name], doors.sessions[name] = principal, sign_in_as(principal)
    return doors


def test_paths_letters_and_counts_are_one_of_each() -> None:
    for field in ("path", "letter", "title"):
        values = [getattr(page, field) for page in PAGES]
        assert len(set(values)) == len(values), field
    assert "p" not in [page.letter for page in PAGES]  # preferences


@pytest.mark.parametrize("caller", PEOPLE)
def test_what_is_offered_answers_and_the_rest_is_refused(people: Doors, caller: str) -> None:
    frame = people.call("GET", "/preferences", caller=caller).content.decode()
    bar = re.findall(r'href="([^"]+)"', frame.split('aria-label="Pages"')[1].split("</nav>")[0])
    palette = re.findall(r'data-letter="(.)" href="([^"]+)"', frame)
    offered = [(page.letter, page.path) for page in pages_of(people.people[caller])]
    assert palette == [*offered, ("p", "/preferences")]
    assert bar == [path for _, path in offered]
    for page in PAGES:
        status = people.call("GET", page.path, caller=caller).status_code
        assert (page.path, status) == (page.path, 200 if page.path in bar else 403)


@pytest.mark.parametrize(
    ("caller", "home"), [("own", "/desk"), ("administrator", "/approvals"), ("nobody", "/preferences")]
)
def test_the_first_page_is_one_that_answers(people: Doors, caller: str, home: str) -> None:
    assert people.call("GET", "/", caller=caller).headers["Location"] == home


def test_counts_are_told_only_where_the_bar_has_a_place_for_them(people: Doors) -> None:
    told = people.call("GET", "/frame/status", caller="administrator").content.decode()
    assert re.findall(r'id="(count-[a-z]+)"', told) == ["count-approvals", "count-exceptions"]


def test_a_page_owns_what_lies_below_it() -> None:
    assert [page.path for page in map(page_at, ("/uploads", "/uploads/new", "/risk/kill/1")) if page] == [
        "/uploads",
        "/uploads",
        "/risk",
    ]
    assert [page_at(path) for path in ("/uploadsx", "/o/new", "/preferences", "/")] == [None] * 4


def test_a_right_opens_its_page() -> None:
    nobody = Principal(user_id=1, username="n", actor="user:1", persona="dealer")
    dealer = Principal(user_id=1, username="n", actor="user:1", persona="dealer", rights=frozenset({ENTER_ORDER}))
    assert (home_of(nobody), pages_of(nobody)) == (HOME, ())
    assert [page.path for page in pages_of(dealer)] == ["/approvals", "/exceptions", "/uploads"]
