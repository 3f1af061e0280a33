"""Importers: planning problems from what people keep in spreadsheets."""

from data.importers.csv_import import ImportResult, import_csv, write_templates
from data.importers.csv_report import IMPORT_CODES, RowError

__all__ = ["IMPORT_CODES", "ImportResult", "RowError", "import_csv", "write_templates"]
