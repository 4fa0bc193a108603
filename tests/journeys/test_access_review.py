"""Who has what is asked, kept and removed line by line, closed by two, and gone at the next request of whom it was taken from."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.journeys import hands
from tests.journeys.conftest import SignIn
from tests.journeys.house import House

pytestmark = pytest.mark.ui
ROLE = "dealer:EQ2"
GRANT = f"j.osei is in the role {ROLE}"


def open_review(office: Page, role: str) -> str:
    """A review of one role by everybody who may review it; its path."""
    office.select_option("#r-scope", "role")
    office.select_option("#r-role", role)
    office.fill("#r-reason", "Looked at")
    office.get_by_role("button", name="Open the review").click()
    office.wait_for_url("**/admin/access-review/*-*")
    return office.url[office.url.index("/admin") :]


@pytest.mark.timeout(300)  # a busy machine: a quiet one needs a twentieth
def test_what_a_review_takes_is_gone_at_the_next_request(house: House, sign_in: SignIn) -> None:
    dealer = sign_in("j.osei")
    office = sign_in("c.young", path="/admin/access-review")
    path = open_review(office, ROLE)
    expect(office.locator("#review-close")).to_contain_text("lines are not reviewed, and the deadline is not over")

    head = sign_in("m.ruiz", path=path)
    head.get_by_role("link", name=GRANT).click()
    expect(head.locator("#review-line h2")).to_have_text(GRANT)
    head.locator("#review-line .danger").click()
    expect(head.locator("#form-error")).to_contain_text("Say why.")
    head.fill("#l-reason", "Has left the desk")
    head.locator("#review-line .danger").click()
    expect(head.locator("#review-line [role=status]")).to_contain_text("it ends with the close")
    expect(head.locator("#review-list")).not_to_contain_text(GRANT)
    for box in head.locator("#review-list input[type=checkbox]").all():
        box.check()
    head.fill("#k-reason", "Needed on the desk")
    head.get_by_role("button", name="Keep those ticked").click()
    expect(head.locator("#review-list")).to_contain_text("No line waits for your word.")

    office.goto(f"{house.url}{path}?view=all")
    office.fill("#c-reason", "Everybody has answered")
    office.get_by_role("button", name="Ask to close: 1 end").click()
    expect(office.locator("#review-close")).to_contain_text("a second person decides")

    second = sign_in("d.okoro", path="/approvals")
    second.locator("#approval-list a", has_text="Close the access review").first.click()
    expect(second.locator("#approval-list .htmx-request")).to_have_count(0)
    expect(second.locator("#effect")).to_contain_text("1 removed")
    expect(second.locator("#approval-detail")).to_contain_text("j.osei")
    expect(second.locator(".decide [data-primary]")).to_contain_text("end 1 grant")
    assert dealer.goto(f"{house.url}/desk").status == 200  # type: ignore[union-attr]
    hands.approve(second)

    assert dealer.goto(f"{house.url}/desk").status == 403  # type: ignore[union-attr]
    office.goto(f"{house.url}{path}?view=removed")
    expect(office.locator("#review-list")).to_contain_text("removed")
    expect(office.locator("#review-close")).to_contain_text("approved by d.okoro")
    files = [office.request.get(f"{house.url}{path}/evidence?form=pdf").body() for _ in range(2)]
    assert files[0] == files[1]
    assert files[0].startswith(b"%PDF")
    told = house.sql("SELECT payload FROM journal_event WHERE kind = 'RoleLeft' ORDER BY position DESC LIMIT 1")[0][0]
    assert told["role"] == ROLE
    assert told["because"].startswith("access review ")
