"""The report: report.json from the records of the steps, and report.html from report.json."""

from headrace.ml.report.document import SCHEMA_VERSION, report_document
from headrace.ml.report.files import load_report, render_report, write_report
from headrace.ml.report.page import render_html

__all__ = ["SCHEMA_VERSION", "load_report", "render_html", "render_report", "report_document", "write_report"]
