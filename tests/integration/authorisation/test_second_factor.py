"""The second factor stands between password and session, is taken once, and cannot be guessed, replayed or gone around."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from pyotp import TOTP

from authorisation.models import Factor, RecoveryCode, Session, User
from authorisation.sealing import seal
from authorisation.services.check_code import check_code
from authorisation.services.enrol_totp import enrol_totp
from authorisation.services.make_recovery_codes import make_recovery_codes
from authorisation.signing_in import HELD
from authorisation.views.sign_in import WRONG_FACTOR
from journal.models import Event
from kernel.clock import utc_now
from kernel.errors import InvariantBroken, Refused
from tests.factories.authorisation import AT, PASSWORD, person

pytestmark = pytest.mark.django_db
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
PAGE = "/preferences"


def code_at(at: Any, steps: int = 0) -> str:
    return TOTP(SECRET).generate_otp(int(at.timestamp()) // 30 + steps)


def enrolled(username: str = "ada", **values: Any) -> User:
    """Somebody whose app was enrolled an hour ago."""
    user = person(username, **values)
    then = utc_now() - timedelta(hours=1)
    enrol_totp(user=user, at=then, secret=SECRET, code=code_at(then), name="phone")
    return user


def half_in(username: str = "ada") -> Client:
    client = Client()
    answer = client.post("/sign-in", {"username": username, "password": PASSWORD, "next": PAGE})
    assert answer.headers["Location"] == "/sign-in/second"
    return client


def is_in(client: Client) -> bool:
    return bool(client.get(PAGE).status_code == 200)


def kinds(user: User) -> list[str]:
    return list(Event.objects.filter(stream=f"user:{user.pk}").order_by("seq").values_list("kind", flat=True))


def test_password_then_code_then_in() -> None:
    user = enrolled()
    client = half_in()
    assert not is_in(client)
    answer = client.post("/sign-in/second", {"code": code_at(utc_now())})
    assert (answer.status_code, answer.headers["Location"]) == (302, PAGE)
    assert is_in(client)
    assert HELD not in client.session
    assert kinds(user) == ["FactorEnrolled", "SignedIn", "NewDeviceSeen"]
    assert Event.objects.get(kind="SignedIn").payload["factor"] == "totp"


def test_a_right_password_alone_opens_nothing() -> None:
    enrolled()
    client = half_in()
    for path in (PAGE, "/desk", "/account/factors", "/account/factors/new", "/approvals"):
        assert client.get(path).headers["Location"].startswith("/sign-in?next=")
    assert client.get("/sign-in/enrol").headers["Location"] == "/sign-in/second"
    assert client.post("/sign-in/enrol", {"code": "000000"}).headers["Location"] == "/sign-in/second"
    assert Factor.objects.count() == 1


def test_the_cookie_changes_at_each_step() -> None:
    enrolled()
    client = half_in()
    held = client.cookies["oms"].value
    client.post("/sign-in/second", {"code": code_at(utc_now())})
    assert client.cookies["oms"].value != held
    thief = Client()
    thief.cookies["oms"] = held
    assert not is_in(thief)
    assert thief.get("/sign-in/second").headers["Location"] == "/sign-in"


@pytest.mark.parametrize("what", ["late", "password changed", "disabled"])
def test_what_is_half_done_ends(what: str) -> None:
    user = enrolled()
    client = half_in()
    if what == "late":
        session = client.session
        session[HELD] = {**session[HELD], "at": (utc_now() - timedelta(minutes=10)).isoformat()}
        session.save()
    elif what == "password changed":
        user.set_password("another long password")
        user.save()
    else:
        User.objects.filter(pk=user.pk).update(is_active=False)
    answer = client.post("/sign-in/second", {"code": code_at(utc_now())})
    assert answer.headers["Location"] == "/sign-in"
    assert not is_in(client)


@pytest.mark.parametrize(
    "code", ["", "000000", "12345", "1234567", "abcdef", "AAAA-AAAA-AAAA-AAAA-AAAA-AAAA", "\x00", "١٢٣٤٥٦"]
)
def test_wrong_codes_read_the_same(code: str) -> None:
    enrolled()
    client = half_in()
    answer = client.post("/sign-in/second", {"code": code})
    assert answer.status_code == 422
    assert WRONG_FACTOR in answer.content.decode()
    assert not is_in(client)


@pytest.mark.parametrize(("steps", "right"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
def test_a_code_is_of_now_give_or_take_a_step(steps: int, right: bool) -> None:
    user = person("ada")
    before = AT - timedelta(hours=1)
    enrol_totp(user=user, at=before, secret=SECRET, code=code_at(before), name="")
    assert bool(check_code(user=user, code=code_at(AT, steps), at=AT, source="")) == right


def test_no_code_is_taken_twice_nor_an_earlier_one_after_it() -> None:
    user = enrolled()
    now = utc_now()
    assert check_code(user=user, code=code_at(now), at=now, source="") == "totp"
    assert check_code(user=user, code=code_at(now), at=now, source="") == ""
    assert check_code(user=user, code=code_at(now, -1), at=now, source="") == ""
    assert check_code(user=user, code=code_at(now, 1), at=now, source="") == "totp"


def test_the_code_of_the_enrolment_is_spent() -> None:
    user = person("ada")
    enrol_totp(user=user, at=AT, secret=SECRET, code=code_at(AT), name="")
    assert check_code(user=user, code=code_at(AT), at=AT, source="") == ""


def test_five_wrong_codes_lock_the_second_factor_and_a_right_password_does_not_free_it() -> None:
    user = enrolled()
    for _ in range(5):
        half_in().post("/sign-in/second", {"code": "000000"})
    client = half_in()
    answer = client.post("/sign-in/second", {"code": code_at(utc_now())})
    assert (answer.status_code, WRONG_FACTOR in answer.content.decode()) == (422, True)
    at = utc_now() + timedelta(seconds=31)
    assert check_code(user=user, code=code_at(at), at=at, source="") == "totp"


def test_a_recovery_code_stands_in_once() -> None:
    user = enrolled()
    codes = make_recovery_codes(user=user, at=utc_now())
    assert (len(codes), len(set(codes))) == (10, 10)
    assert not any(code.replace("-", "") in str(list(RecoveryCode.objects.values())) for code in codes)
    client = half_in()
    assert client.post("/sign-in/second", {"code": codes[0].lower()}).status_code == 302
    assert is_in(client)
    assert half_in().post("/sign-in/second", {"code": codes[0]}).status_code == 422
    make_recovery_codes(user=user, at=utc_now())
    assert half_in().post("/sign-in/second", {"code": codes[1]}).status_code == 422


def test_a_recovery_code_is_of_its_person() -> None:
    ada, bob = enrolled("ada"), person("bob")
    enrol_totp(user=bob, at=AT, secret=SECRET, code=code_at(AT), name="")
    codes = make_recovery_codes(user=ada, at=AT)
    assert check_code(user=bob, code=codes[0], at=AT, source="") == ""
    assert check_code(user=ada, code=codes[0], at=AT, source="") == "recovery_code"


def test_recovery_codes_without_a_factor_open_nothing() -> None:
    user = person("ada")
    codes = make_recovery_codes(user=user, at=AT)
    assert check_code(user=user, code=codes[0], at=AT, source="") == ""


def test_the_secret_is_sealed_to_its_row_and_sealed_anew_under_a_new_key(settings: Any) -> None:
    user = enrolled()
    factor = Factor.objects.get()
    assert SECRET not in str(Factor.objects.values().get())
    old = factor.secret
    settings.SEALING_KEYS = ["another long random text of a key, newest first", *settings.SEALING_KEYS]
    now = utc_now()
    assert check_code(user=user, code=code_at(now), at=now, source="") == "totp"
    settings.SEALING_KEYS = settings.SEALING_KEYS[:1]
    at = now + timedelta(seconds=60)
    assert Factor.objects.get().secret != old
    assert check_code(user=user, code=code_at(at), at=at, source="") == "totp"


def test_a_secret_put_into_another_row_does_not_open() -> None:
    ada, bob = enrolled("ada"), person("bob")
    Factor.objects.filter(user=ada).update(secret=seal(SECRET.encode(), about="totp:of-somebody-else"), user=bob)
    with pytest.raises(InvariantBroken):
        check_code(user=bob, code=code_at(AT), at=AT, source="")


def test_where_everybody_needs_one_nobody_comes_in_before_having_it(settings: Any) -> None:
    settings.SECOND_FACTOR_REQUIRED = True
    user = person("ada")
    client = Client()
    answer = client.post("/sign-in", {"username": "ada", "password": PASSWORD, "next": PAGE})
    assert answer.headers["Location"] == "/sign-in/enrol"
    assert not is_in(client)
    page = client.get("/sign-in/enrol")
    text = page.content.decode()
    secret = text.split('id="letters">')[1].split("<")[0].replace(" ", "")
    assert "<svg" in text
    assert "style=" not in text
    assert secret not in str(list(Session.objects.values()))
    assert text.split('id="letters">')[1].split("<")[0] in client.get("/sign-in/enrol").content.decode()
    assert client.post("/sign-in/enrol", {"code": "000000"}).status_code == 422
    assert not is_in(client)
    done = client.post("/sign-in/enrol", {"code": TOTP(secret).now(), "name": "My phone"})
    assert done.status_code == 200
    assert done.content.decode().count("<li>") == 10
    assert is_in(client)
    assert (Factor.objects.get().name, Factor.objects.get().user) == ("My phone", user)
    assert kinds(user) == ["FactorEnrolled", "SignedIn", "NewDeviceSeen", "RecoveryCodesMade"]
    assert client.get("/sign-in/enrol").headers["Location"] == "/sign-in"


def test_a_factor_is_enrolled_by_a_right_code_only() -> None:
    user = person("ada")
    with pytest.raises(Refused, match="CODE_WRONG"):
        enrol_totp(user=user, at=AT, secret=SECRET, code=code_at(AT, 5), name="")
    assert (Factor.objects.count(), kinds(user)) == (0, [])


def test_nobody_gathers_factors_without_end() -> None:
    user = person("ada")
    for _ in range(8):
        enrol_totp(user=user, at=AT, secret=SECRET, code=code_at(AT), name="")
    with pytest.raises(Refused, match="FACTORS_TOO_MANY"):
        enrol_totp(user=user, at=AT, secret=SECRET, code=code_at(AT), name="")
