"""Addresses of this room."""

from django.urls import URLPattern, path

from authorisation import views

urlpatterns: list[URLPattern] = [
    path("sign-in", views.sign_in, name="sign-in"),
    path("sign-out", views.sign_out, name="sign-out"),
]
