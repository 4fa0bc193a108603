"""Pages and API: WSGI, because synchronous views are several times slower under ASGI."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "oms_project.settings")
application = get_wsgi_application()
