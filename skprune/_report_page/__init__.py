"""The report of a fitted pruner as one page of HTML."""

from skprune._report_page._findings import Findings, RowsAtHand
from skprune._report_page._page import write_report

__all__ = ["Findings", "RowsAtHand", "write_report"]
