"""Pages and API: WSGI, because synchronous views are several times slower under ASGI."""

import os

from django.core.wsgi import get_wsgi_application

from oms_project.celery import app as celery_app

__all__ = ["application", "celery_app"]

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "oms_project.settings")
application = get_wsgi_application()
celery_app.set_default()  # tasks sent from pages go to our broker, not to the library's default one
