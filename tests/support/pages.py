"""The pages that people read, taken apart: code blocks, prose, code within prose, links, headings.   All functions: text -> parts"""

from __future__ import annotations

import re
from pathlib import Path

from tests.support.copies import PROJECT

WRITTEN_BY_COMMANDS = (
    "docs/gate/study.md",
    "docs/versions/*.md",
    "docs/result/**/*.md",
    "docs/gpu/report.md",
    "docs/disturbance/study.md",
    "docs/history/*.md",
)
"""Markdown that the report or the gate wrote."""

COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
FENCED = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def written_by_hand() -> list[Path]:
    """README, CONTRIBUTING and every page of docs that a person wrote."""
    docs = set((PROJECT / "docs").glob("**/*.md"))
    docs -= {path for pattern in WRITTEN_BY_COMMANDS for path in PROJECT.glob(pattern)}
    return [PROJECT / "README.md", PROJECT / "CONTRIBUTING.md", PROJECT / "tests" / "README.md", *sorted(docs)]


def blocks(text: str, language: str) -> list[str]:
    """The code blocks in one language, in their order."""
    return [code for found, code in FENCED.findall(text) if found == language]


def prose(text: str) -> str:
    """The page without its code blocks and without what a reader does not see."""
    return COMMENT.sub("", FENCED.sub("", text))


def sentences(text: str) -> str:
    """The page without line breaks: what a search for a sentence runs over."""
    return " ".join(text.split())


def quoted(text: str) -> list[str]:
    """What stands between backticks in the prose."""
    return re.findall(r"`([^`\n]+)`", prose(text))


def links(text: str) -> list[str]:
    """Targets of links and images that lead to a place in this repository: PATH, PATH#HEADING or #HEADING."""
    return [target for target in re.findall(r"\]\(([^)\s]+)\)", prose(text)) if not re.match(r"\w+:", target)]


def headings(text: str) -> set[str]:
    """What GitHub calls the headings in links.   "What `--heavy` adds" -> what---heavy-adds"""
    titles = re.findall(r"^#+ (.*)$", prose(text), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}


def rows(text: str) -> list[list[str]]:
    """The cells of every row of every table, below its head."""
    tables = re.findall(r"^\|.*\|\n\|[-:| ]+\|\n((?:\|.*\|\n?)+)", prose(text), re.MULTILINE)
    return [[cell.strip() for cell in row[1:-1].split("|")] for table in tables for row in table.splitlines()]
