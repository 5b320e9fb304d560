"""The report and the log of a session, made from its journal alone."""

from veza_e2e.report.render import render
from veza_e2e.report.templates import template_version
from veza_e2e.report.view import ReportError

__all__ = ["ReportError", "render", "template_version"]
