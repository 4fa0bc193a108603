"""Addresses of this room."""

from django.urls import URLPattern, path

from authorisation.views import link, sign_in

urlpatterns: list[URLPattern] = [
    path("sign-in", sign_in.sign_in, name="sign-in"),
    path("sign-in/second", sign_in.second_factor, name="sign-in-second"),
    path("sign-in/enrol", sign_in.enrol, name="sign-in-enrol"),
    path("sign-in/link", link.use_link, name="sign-in-link"),
    path("sign-in/link/<str:token>", link.open_link, name="sign-in-link-open"),
    path("sign-out", sign_in.sign_out, name="sign-out"),
]
