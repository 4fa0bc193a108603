"""API addresses of this room."""

from django.urls import URLPattern, path

from allocations.api.affirmed_in_time import AffirmedInTimeView
from allocations.api.blocks import BlockAllocationsView, BlockPreviewView, BlockReleaseView, BlocksView, BlockView
from allocations.api.confirmations import (
    AffirmConfirmationView,
    ConfirmationsView,
    ConfirmationView,
    RejectConfirmationView,
)
from allocations.api.notes import ContractNotePdfView, ContractNotesView, ContractNoteView, TradeFeedView
from allocations.api.schemes import SchemeEndView, SchemesView, SchemeView

urlpatterns: list[URLPattern] = [
    path("blocks", BlocksView.as_view(), name="api-blocks"),
    path("blocks/<str:ref>", BlockView.as_view(), name="api-block"),
    path("blocks/<str:ref>/allocations", BlockAllocationsView.as_view(), name="api-block-allocations"),
    path("blocks/<str:ref>/preview", BlockPreviewView.as_view(), name="api-block-preview"),
    path("blocks/<str:ref>/release", BlockReleaseView.as_view(), name="api-block-release"),
    path("allocation-schemes", SchemesView.as_view(), name="api-allocation-schemes"),
    path("allocation-schemes/<str:scheme>", SchemeView.as_view(), name="api-allocation-scheme"),
    path("allocation-schemes/<str:scheme>/end", SchemeEndView.as_view(), name="api-allocation-scheme-end"),
    path("confirmations", ConfirmationsView.as_view(), name="api-confirmations"),
    path("confirmations/<uuid:confirmation_id>", ConfirmationView.as_view(), name="api-confirmation"),
    path(
        "confirmations/<uuid:confirmation_id>/affirm", AffirmConfirmationView.as_view(), name="api-confirmation-affirm"
    ),
    path(
        "confirmations/<uuid:confirmation_id>/reject", RejectConfirmationView.as_view(), name="api-confirmation-reject"
    ),
    path("affirmed-in-time", AffirmedInTimeView.as_view(), name="api-affirmed-in-time"),
    path("trade-feed", TradeFeedView.as_view(), name="api-trade-feed"),
    path("contract-notes", ContractNotesView.as_view(), name="api-contract-notes"),
    path("contract-notes/<uuid:note_id>", ContractNoteView.as_view(), name="api-contract-note"),
    path("contract-notes/<uuid:note_id>/pdf", ContractNotePdfView.as_view(), name="api-contract-note-pdf"),
]
