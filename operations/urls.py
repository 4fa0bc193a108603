"""Addresses of this room: every page a person works on."""

from django.urls import URLPattern, path
from django.views.generic import RedirectView

from operations.views import desk, frame, orders, queues, risk, sessions, suspense, ticket, uploads

urlpatterns: list[URLPattern] = [
    path("", RedirectView.as_view(url="/desk"), name="home"),
    path("healthz", frame.healthz, name="healthz"),
    path("readyz", frame.readyz, name="readyz"),
    path("frame/status", frame.frame_status, name="frame-status"),
    path("flow", frame.flow, name="flow"),
    path("preferences", frame.preferences, name="preferences"),
    path("desk", desk.desk, name="desk"),
    path("desk/rows.json", desk.desk_rows, name="desk-rows"),
    path("venues", sessions.sessions, name="sessions"),
    path("venues/<str:name>", sessions.session, name="session"),
    path("venues/<str:name>/ask", sessions.ask, name="session-ask"),
    path("venues/<str:name>/switch", sessions.switch, name="session-switch"),
    path("venues/<str:name>/gate", sessions.gate, name="session-gate"),
    path("ticket/lists.json", ticket.ticket_lists, name="ticket-lists"),
    path("ticket/preview", ticket.ticket_preview, name="ticket-preview"),
    path("ticket/send", ticket.ticket_send, name="ticket-send"),
    path("o/new", ticket.new_ticket, name="order-new"),
    path("o/cancel", orders.cancel, name="order-cancel"),
    path("o/<str:name>", orders.order_page, name="order"),
    path("o/<str:name>/as-at/<int:seq>", orders.order_as_at, name="order-as-at"),
    path("o/<str:name>/amend", orders.amend, name="order-amend"),
    path("o/<str:name>/amend/preview", orders.amend_preview, name="order-amend-preview"),
    path("approvals", queues.approvals, name="approvals"),
    path("approvals/<uuid:approval_id>", queues.approval_detail, name="approval"),
    path("approvals/<uuid:approval_id>/decide", queues.decide, name="approval-decide"),
    path("exceptions", queues.exceptions, name="exceptions"),
    path("exceptions/<uuid:item_id>", queues.exception_detail, name="exception"),
    path("exceptions/<uuid:item_id>/accept", suspense.accept, name="exception-accept"),
    path("exceptions/<uuid:item_id>/dk", suspense.disown, name="exception-dk"),
    path("risk", risk.risk, name="risk"),
    path("risk/kill", risk.kill, name="kill"),
    path("risk/kill/reach", risk.kill_reach, name="kill-reach"),
    path("risk/kill/<uuid:stop_id>/release", risk.kill_release, name="kill-release"),
    path("uploads", uploads.uploads, name="uploads"),
    path("uploads/new", uploads.upload_file, name="upload-new"),
    path("uploads/<uuid:upload_id>", uploads.upload, name="upload"),
    path("uploads/<uuid:upload_id>/progress", uploads.upload_progress, name="upload-progress"),
    path("uploads/<uuid:upload_id>/stop", uploads.upload_stop, name="upload-stop"),
    path("uploads/<uuid:upload_id>/errors.csv", uploads.upload_errors, name="upload-errors"),
    path("search", queues.search, name="search"),
]
