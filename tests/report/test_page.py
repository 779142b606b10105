"""The page says what the JSON says, loads nothing, runs nothing but its own script, and works in a real browser at any width."""

from __future__ import annotations

import base64
import copy
import hashlib
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from benchmarks.report import page, report
from benchmarks.report.cells import grid
from benchmarks.report.records import Section, Table
from benchmarks.saved.results import load_many
from tests.report.test_plots import whole
from tests.support.browser import visit

DATA = Path(__file__).parents[1] / "data" / "run"
HOSTILE = "<script>alert(1)</script>\"'&<img src=x onerror=alert(2)>\ud800"
WIDTHS = (1280, 390)


@pytest.fixture(scope="module")
def run():
    """Three processes, a warning among them, one case that could not be measured."""
    return load_many([DATA])


@pytest.fixture(scope="module")
def text(run):
    return page.render(run, report.sections(run), report.plots(run))


@pytest.fixture(scope="module")
def rich():
    """A page with every plot, a warning from a later section, a dash with a reason, a quote, and a table to sort."""
    rows = [
        ["numpy fused", "1.5 ms [1 ms, 2 ms]", '"40.1202 s"', "b"],
        ["numpy loops", "—", "—", "d"],
        ["torch eager", "900 µs", '"0.0022 s"', "a"],
        ["tensorflow graph", "2 s", '"0.0718 s"', "c"],
    ]
    headline = [
        ["predict, batch 1", "numpy fused", "63 µs", "2.90 x [2.80, 3.01] (torch compile), 5.00 x [4.00, 6.00] (tensorflow xla)"],
        ["predict, batch 64", "torch compile", "1.30 ms", "1.05 x [0.98, 1.12] (numpy fused)"],
    ]
    sections = [
        Section(
            "Which?",
            ["**Warning: it drifted.**", "How to read it."],
            Table(["", "fastest", "median", "others"], headline),
            ["Sure."],
        ),
        Section(
            "Times", ["`code` and **bold**."], Table(["", "time", "seed", "note"], rows), ["**The machine moved.** See there."]
        ),
        Section("Facts", table=Table(["", ""], [["CPU", "EPYC"], ["commit", ""]])),
        Section("Empty", table=Table(["", "time"], [])),
    ]
    missing = {"benchmarks/test_predict.py::test_predict[numpy-loops-batch=1]": "too <slow>"}
    shown = [page.Accuracy("numpy", 436, 450, 0.94, 0.98), page.Accuracy("torch", 428, 450, 0.92, 0.96)]
    frameworks = ["numpy", "tensorflow", "torch"]
    return page.html(
        sections, report.plots(whole(3)), accuracies=shown, frameworks=frameworks, not_measured=missing, facts=["EPYC"]
    )


class Reader(HTMLParser):
    """Every tag with its attributes, and the text that is shown."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.shown, self.inside = [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        self.inside.append(tag)

    def handle_endtag(self, tag):
        while self.inside and self.inside.pop() != tag:
            pass

    def handle_data(self, data):
        if not {"script", "style"} & set(self.inside):
            self.shown.append(data)

    def text(self):
        return " ".join("".join(self.shown).split())


# What it says


def test_same_json_same_bytes(run, text):
    """Rendering again from the JSON gives the same page, byte for byte."""
    again = load_many([DATA])
    assert page.render(again, report.sections(again), report.plots(again)) == text


def test_every_cell_is_there(run, text):
    """All titles, paragraphs and cells of the Markdown are in the page."""
    shown = Reader(text).text()
    for section in report.sections(run):
        cells = [cell for row in (section.table.rows if section.table else []) for cell in row]
        if section.title.startswith("LeNet-5"):  # its table is in cards, the ratios one by one
            cells = [part for cell in cells for part in re.split(r" x | \(|\), |\)", cell)]
        for said in (section.title, *section.before, *section.after, *cells):
            plain = " ".join(re.sub(r"\*\*|`", "", said).strip('"').split())
            assert plain in shown, plain


def test_markup_is_text(tmp_path):
    """Names from a JSON that look like markup are shown as they are and make no tag, in tables, cards, plots and reasons."""
    for path in DATA.iterdir():
        document = copy.deepcopy(json.loads(path.read_text(encoding="utf-8")))
        ours = document["machine_info"]["lenet5"]
        for case in document["benchmarks"]:
            if case["extra_info"]["framework"] == "torch":
                case["extra_info"].update(framework=HOSTILE, mode=HOSTILE)
        ours["frameworks"] = {HOSTILE: {HOSTILE: HOSTILE}}
        ours["not_measured"] = {HOSTILE: HOSTILE}
        document["machine_info"]["cpu"] = {"brand_raw": HOSTILE}
        document["commit_info"]["id"] = HOSTILE
        (tmp_path / path.name).write_text(json.dumps(document), encoding="utf-8")
    hostile = load_many([tmp_path])
    text = page.render(hostile, report.sections(hostile), report.plots(hostile))
    found = Reader(text)

    assert [tag for tag, _ in found.tags].count("script") == 1
    assert "img" not in {tag for tag, _ in found.tags}
    assert not [name for _, attributes in found.tags for name in attributes if name.startswith("on")]
    assert found.text().count("<script>alert(1)</script>") > 10


def test_a_page_refers_to_nothing_outside(rich, text):
    """No address anywhere: every reference is to the page itself or empty."""
    for page_text in (rich, text):
        for tag, attributes in Reader(page_text).tags:
            for name in ("src", "srcset", "action", "poster", "data", "xlink:href", "background"):
                assert name not in attributes, (tag, name)
            assert re.fullmatch(r"#[\w.-]+|data:,", attributes.get("href", "#x")), (tag, attributes)
        assert not re.search(r"url\((?!#)|@import|https?:", page_text)


def test_only_its_own_script_may_run(rich):
    """The policy forbids all requests and names the page's one script by its hash."""
    policy = next(attributes["content"] for tag, attributes in Reader(rich).tags if "http-equiv" in attributes)
    (script,) = re.findall(r"<script>(.*?)</script>", rich, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert policy.startswith("default-src 'none'; ")
    assert f"script-src 'sha256-{digest}';" in policy


def test_first_screen(rich):
    """In short: who wins where, what is not decided, at which accuracy, how sure."""
    short = re.search(r'<p class="short">(.*?)</p>', rich, re.DOTALL)[1]
    assert " ".join(Reader(short).text().split()) == (
        "numpy is fastest at predict, batch 1. Not decided: predict, batch 64. Test accuracy 95.1 to 96.9 %: all intervals overlap. "
        "Every ratio has its interval."
    )
    assert "not told apart from numpy fused" in rich


def test_headline_becomes_cards():
    """Every framework of a row is a bar as long as its ratio, with the text of the table."""
    rows = [
        ["predict", "numpy fused", "63 µs", "2.90 x [2.80, 3.01] (torch compile), 1,230 x (tensorflow xla)"],
        ["step", "a b", "1 s", "—"],
    ]
    first, second = page.cards(grid(Table(["", "fastest", "median", "others"], rows), lambda row, column: "alone"))

    assert (first.question, first.winner, first.framework) == ("predict", "numpy fused", "numpy")
    assert [(bar.label, bar.framework, bar.times, bar.interval, bar.ratio) for bar in first.bars] == [
        ("numpy fused", "numpy", "1", "", 1),
        ("torch compile", "torch", "2.90", "2.80, 3.01", 2.9),
        ("tensorflow xla", "tensorflow", "1,230", "", 1230),
    ]
    assert [head for head, _ in first.facts] == ["median"]
    assert first.longest == 1230
    assert first.equals == []
    assert second.bars == []
    assert second.facts[1][1].reason == "alone"


def test_warnings_are_loud(rich):
    """A paragraph that begins in bold is a warning where it stands; one from further below is at the top of the page as well."""
    assert [Reader(line).text() for line in re.findall(r'<p class="warning".*?</p>', rich)] == [
        "Warning: it drifted.",
        "The machine moved. See there. Where it comes from",
        "The machine moved. See there.",
    ]


@pytest.mark.parametrize(
    ("row", "column", "why"),
    [
        ("torch compile", "batch 1", "no compiler"),
        ("torch compile", "batch 64", "too long"),
        ("torch compile", "one epoch", "no compiler; too long"),
        ("torch eager", "batch 1", page.NO_REASON),
        ("test accuracy", "jax", "not installed"),
        ("torch", "", page.NO_REASON),
        ("torch", "batch 64", page.NO_REASON),
        ("", "", page.NO_REASON),
    ],
)
def test_reason_of_a_dash(row, column, why):
    """A dash says why: what the cases of its row say, of its batch if it has one; else those of its column."""
    missing = {
        "benchmarks/test_predict.py::test_predict[torch-compile-batch=1]": "no compiler",
        "benchmarks/test_predict.py::test_predict[torch-compile-batch64]": "too long",
        "benchmarks/test_training.py::test_accuracy[jax]": "not installed",
    }
    assert page.reason(missing, row, column) == why


def test_prose():
    """Bold and code become tags; everything else is text."""
    assert page.prose("a **b<i>** `c&` 3 * 4 ** 5") == "a <strong>b&lt;i&gt;</strong> <code>c&amp;</code> 3 * 4 ** 5"


def test_nothing_at_all():
    """No section, no figure, a table without rows: still a page."""
    assert "<main>" in page.html([])
    assert "Nothing of this was measured" in page.html([Section("a"), Section("b", table=Table(["", "x"], []))])


def test_write_leaves_no_half_report(tmp_path, monkeypatch):
    """A page that cannot be rendered leaves the last report as it was, and no other file."""
    written = report.write([DATA], tmp_path)
    before = [path.read_bytes() for path in (written.path, written.page)]
    monkeypatch.setattr(page, "TEMPLATES", tmp_path / "none")
    with pytest.raises(OSError, match="report"):
        report.write([DATA], tmp_path)
    assert [path.read_bytes() for path in (written.path, written.page)] == before
    assert sorted(file.name for file in tmp_path.iterdir()) == ["report.html", "report.md"]


# In a browser

LOOK = """(view, document) => {
  const all = (selector) => Array.from(document.querySelectorAll(selector));
  const column = (table, index) => Array.from(table.tBodies[0].rows, (row) => row.cells[index].textContent.trim());
  const box = (element) => { const found = element.getBoundingClientRect(); return [found.width, found.height]; };
  const facts = {
    width: view.innerWidth,
    page: Math.max(document.documentElement.scrollWidth, document.body.scrollWidth),
    figures: all("figure").map((figure) => ({
      name: figure.id,
      box: box(figure.querySelector("svg")),
      marks: Array.from(figure.querySelectorAll("[id*='-mark-']"), box),
      letters: Math.min(...Array.from(figure.querySelectorAll("text"), (text) => text.getBoundingClientRect().height)),
    })),
    empty: all("td, th").filter((cell) => !cell.textContent.trim()).length,
    dashes: all("td, th").filter((cell) => cell.textContent.trim().startsWith("\\u2014"))
      .map((cell) => cell.querySelector("[title]")?.title ?? null),
    outside: all("main *").filter((element) => !element.closest(".scroll, svg, .hidden"))
      .filter((element) => element.getBoundingClientRect().right > view.innerWidth + 1).map((element) => element.outerHTML.slice(0, 80)),
    sorts: [],
  };
  const table = document.querySelector("table.sortable");
  if (table) for (const index of [1, 1, 0, 3]) {
    const head = table.tHead.rows[0].cells[index];
    if (!head) continue;
    head.querySelector("button").click();
    facts.sorts.push([all("th[aria-sort]").map((one) => one.cellIndex), head.getAttribute("aria-sort"), column(table, 0)]);
  }
  return facts;
}"""


@pytest.fixture(scope="module")
def seen(rich, tmp_path_factory):
    """What Chromium finds in the page at each width, and what it wrote on the console."""
    return visit(rich, WIDTHS, LOOK, tmp_path_factory.mktemp("chromium"))


def test_browser_has_no_complaint(seen):
    """Nothing on the console: no error in the script, nothing blocked, nothing asked for."""
    facts, console = seen
    assert console == []
    assert [fact["width"] for fact in facts] == list(WIDTHS)


def test_console_is_watched(tmp_path):
    """The test above would see it: a page whose script is not the one that its policy names complains."""
    broken = page.html([]).replace('"use strict";', '"use strict"; nothing.there;')
    _, console = visit(broken, (390,), "() => 0", tmp_path)
    assert any("Content Security Policy" in line for line in console)


def test_page_never_scrolls_sideways(seen):
    """At no width is anything wider than the window; tables scroll in their own box."""
    for fact in seen[0]:
        assert fact["page"] <= fact["width"]
        assert fact["outside"] == []


def test_plots_have_marks_in_the_browser(seen):
    """Every plot is drawn, with marks of some size, and its text can be read on a phone."""
    for fact in seen[0]:
        assert [figure["name"] for figure in fact["figures"]] == [figure.name for figure in report.plots(whole(3))]
        for figure in fact["figures"]:
            assert min(figure["box"]) > 100
            assert len(figure["marks"]) >= 2
            assert all(width > 1 and height > 1 for width, height in figure["marks"]), figure
            assert figure["letters"] >= 9


def test_no_cell_is_empty(seen):
    """Where there is no figure there is a dash, and the dash says why."""
    for fact in seen[0]:
        assert fact["empty"] == 0
        assert fact["dashes"] == ["too <slow>", "too <slow>", page.NO_REASON]


def test_tables_sort(seen):
    """A click on a head sorts by the numbers of the column, another turns it round, words sort as words; dashes stay below."""
    up = ["torch eager", "numpy fused", "tensorflow graph", "numpy loops"]
    down = ["tensorflow graph", "numpy fused", "torch eager", "numpy loops"]
    for fact in seen[0]:
        assert fact["sorts"] == [
            [[1], "ascending", up],
            [[1], "descending", down],
            [[0], "ascending", ["numpy fused", "numpy loops", "tensorflow graph", "torch eager"]],
            [[3], "ascending", ["torch eager", "numpy fused", "tensorflow graph", "numpy loops"]],
        ]


def test_report_of_a_run_in_the_browser(text, tmp_path):
    """The page of real JSON passes the same."""
    facts, console = visit(text, WIDTHS, LOOK, tmp_path)
    assert console == []
    for fact in facts:
        assert fact["page"] <= fact["width"]
        assert fact["outside"] == []
        assert fact["empty"] == 0
        assert None not in fact["dashes"]
        assert all(figure["marks"] for figure in fact["figures"])
