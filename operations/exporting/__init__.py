"""What leaves the house as a file: one description of a table, written as CSV, XLSX, JSON or PDF.

Invariants: the same table and time give the same bytes in every form; no cell is a formula wherever it is opened; every file
says who took it, when, by which filter, how many rows it holds and their SHA-256 (of the rows, so that all four forms agree).
"""

from operations.exporting.files import DOCUMENT_FORMS, FORMS, ExportedFile, export_document, export_table
from operations.exporting.pdf_file import Section, pdf_of
from operations.exporting.table import MOST_ROWS, Column, Heading, Table, make_table
from operations.exporting.zipping import zip_of

__all__ = [
    "DOCUMENT_FORMS",
    "FORMS",
    "MOST_ROWS",
    "Column",
    "ExportedFile",
    "Heading",
    "Section",
    "Table",
    "export_document",
    "export_table",
    "make_table",
    "pdf_of",
    "zip_of",
]
