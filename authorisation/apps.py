from django.apps import AppConfig


class AuthorisationConfig(AppConfig):
    name = "authorisation"
    default_auto_field = "django.db.models.BigAutoField"
