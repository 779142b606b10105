"""Saved runs become a report: sections and plots, as Markdown and as one page."""
