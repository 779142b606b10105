"""The page says what the JSON says, loads nothing, runs nothing but its own script, and works in a real browser at any width."""

from __future__ import annotations

import base64
import copy
import hashlib
import html
import json
import re
import unicodedata
from html.parser import HTMLParser
from pathlib import Path

import pytest

from benchmarks.quantities.units import COUNT, RATIO, SECONDS, SHARE
from benchmarks.report import markdown, page, report
from benchmarks.report import text as as_text
from benchmarks.report.parts.comparison import NOT_PRINTED
from benchmarks.report.records import (
    Accuracy,
    Alarm,
    Answer,
    Contender,
    Dash,
    Picture,
    Quantity,
    Quote,
    Report,
    Section,
    Several,
    Table,
    Words,
)
from benchmarks.saved.results import load_many
from tests.report.test_plots import whole
from tests.support.browser import visit
from tests.support.documents import PICTURE

DATA = Path(__file__).parents[1] / "data" / "run"
HOSTILE = "<script>alert(1)</script>\"'&<img src=x onerror=alert(2)>\u202e\u200b\x07\ud800"
WIDTHS = (1280, 390)


@pytest.fixture(scope="module")
def run():
    """Three processes, a warning among them, one case that could not be measured."""
    return load_many([DATA])


@pytest.fixture(scope="module")
def text(run):
    return page.render(report.of(run))


def time(seconds, *interval):
    return Quantity(seconds, SECONDS, interval or None)


SORTED = Table(
    ["", "time", "original report", "note"],
    [
        [Words("numpy fused"), time(1.5e-3, 1e-3, 2e-3), Quote("40.1202 s"), Words("b")],
        [Words("numpy loops"), Dash("too <slow>"), NOT_PRINTED, Words("d")],
        [Words("torch eager"), time(900e-6), Quote("0.0022 s"), Words("a")],
        [Words("tensorflow graph"), Several([time(2.0), Dash("one call only")]), Quote("0.0718 s"), Words("c")],
    ],
    same=True,
)
MIXED = Table(
    ["number", "printed", "as printed", "as it should be", "lesson"],
    [[Words("a"), Quote("1 s"), time(1.0, 0.5, 2.0), Quantity(1.0, SECONDS, note="a long note " * 4), Words("a lesson " * 20)]] * 2,
)
PROSE = Table(
    ["figure", "printed", "as printed", "as it should be", "lesson"],
    [[Words(f"figure {row}"), Quote("1 s"), *[Words("some words of prose " * 3)] * 2, Words("a lesson " * 20)] for row in range(2)],
)
SQUARE = Table(
    ["digit", *map(str, range(10))],
    [
        [Words(str(row)), *(Quantity(45 if row == column else (3 * row + column) % 7, COUNT) for column in range(10))]
        for row in range(10)
    ],
    square=True,
)
ANSWERS = [Several([Words("5 vermilion"), Quantity(0.5, SHARE)])] * 4
PICTURED = Table(
    ["", "", "is", *["numpy fused"] * 4],
    [
        [Words("image 1"), Picture(PICTURE, 64, 32, 'a <3>, "green"'), Words("3 green"), *ANSWERS],
        [Words("image 2"), Dash("too <slow>"), Words("1 vermilion"), *ANSWERS],
    ],
)
WIDE = Table(["", "values", "what"], [[Words("convolution 1"), Picture(PICTURE, 270, 135, "values"), Words("some words " * 9)]])
FACTS = Table(["", ""], [[Words("CPU"), Words("EPYC")], [Words("commit"), Words("a" * 90)]])


def contender(framework, mode, seconds, *ratio):
    return Contender(framework, mode, time(seconds), Quantity(ratio[0], RATIO, ratio[1:]) if ratio else None)


@pytest.fixture(scope="module")
def drawn():
    """Every plot."""
    return report.plots(whole(3))


@pytest.fixture(scope="module")
def rich(drawn):
    """A page with every plot, a warning, a dash with a reason, a quote, prose, a table to sort and one not to."""
    return page.render(
        Report(
            title="Which?",
            facts=["EPYC"],
            alarms=[Alarm("It drifted", Quantity(1.31, RATIO), Quantity(1.1, RATIO), "See `there`.")],
            summary=["**numpy** is fastest.", "Not decided: the rest."],
            answers=[
                Answer(
                    "predict, batch 1",
                    [
                        contender("numpy", "fused", 63e-6),
                        contender("torch", "compile", 1e-3, 2.9, 2.8, 3.01),
                        contender("tensorflow", "xla", 1e-3, 5.0, 4.0, 6.0),
                    ],
                ),
                Answer(
                    "predict, batch 64",
                    [contender("torch", "compile", 1.3e-3), contender("numpy", "fused", 2e-3, 1.05, 0.98, 1.12)],
                ),
                Answer("train step", [contender("numpy", "fused", 1.0)]),
            ],
            accuracies=[Accuracy("numpy", 436, 450, (0.94, 0.98)), Accuracy("torch", 428, 450, (0.92, 0.96))],
            notes=["How to read it."],
            plots=drawn,
            sections=[
                Section("Times", ["`code` and **bold**."], SORTED, ["Afterwards."]),
                Section("Mixed", table=MIXED),
                Section("Prose", table=PROSE),
                Section("Facts", table=FACTS),
                Section("Square", table=SQUARE),
                Section("Pictured", table=PICTURED),
                Section("Wide", table=WIDE),
            ],
            colours={"numpy": "blue", "tensorflow": "orange", "torch": "green"},
        )
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


def test_same_json_same_bytes(text):
    """Rendering again from the JSON gives the same page, byte for byte."""
    assert page.render(report.of(load_many([DATA]))) == text


def test_page_and_markdown_say_the_same(run, text):
    """All titles, paragraphs, warnings and cells of the report are in the page and in the Markdown."""
    shown = Reader(text).text()
    said = html.unescape(" ".join(re.sub(r"\*\*|`", "", markdown.render(report.of(run))).split()))
    found = report.of(run)
    cells = [cell for section in found.sections if section.table for row in section.table.rows for cell in row]
    lines = [line for section in found.sections for line in (section.title, *section.before, *section.after)]
    answers = [one for answer in found.answers for one in answer.contenders]
    lines += [
        found.title,
        *found.facts,
        *found.summary,
        *found.notes,
        *map(as_text.alarm, found.alarms),
        *map(as_text.whole, cells),
    ]
    lines += [part for one in answers for part in (one.label, as_text.whole(one.ratio or Words("")))]
    assert len(lines) > 100
    for line in lines:
        plain = " ".join(re.sub(r"\*\*|`", "", line).split())
        assert plain in said, plain
        assert plain.strip('"') in shown, plain


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
    text = page.render(report.of(load_many([tmp_path])))
    found = Reader(text)

    assert [tag for tag, _ in found.tags].count("script") == 1
    assert "img" not in {tag for tag, _ in found.tags}
    assert not [name for _, attributes in found.tags for name in attributes if name.startswith("on")]
    assert found.text().count("<script>alert(1)</script>") > 10
    unseen = {one for one in text if unicodedata.category(one) in ("Cc", "Cf")} - {"\n", "\t"}
    assert not unseen, "such characters would hide or turn round the words beside them"


def test_a_page_refers_to_nothing_outside(rich, text):
    """No address anywhere: every reference is to the page itself or empty, and every picture lies in it."""
    for page_text in (rich, text):
        for tag, attributes in Reader(page_text).tags:
            if tag == "img":
                assert re.fullmatch(r"data:image/png;base64,[A-Za-z0-9+/]+={0,2}", attributes.pop("src"))
                assert attributes.keys() == {"width", "height", "alt"}
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


def test_cards(rich):
    """A card a question: the fastest with its time, every contender as a bar as long as its ratio, in the colour of its framework."""
    cards = re.findall(r'<li class="card">(.*?)</ul>', rich, re.DOTALL)
    bars = re.findall(r'<li class="own-(\w+)"><span class="name">(.*?)</span>.*?--share: ([\d.]+)', cards[0])
    assert bars == [("blue", "numpy fused", "0.2"), ("green", "torch compile", "0.58"), ("orange", "tensorflow xla", "1.0")]
    first, second, third = (
        Reader(card).text() for card in re.findall(r'<li class="card">(.*?)\n</li>\n(?=<li class="card">)', rich, re.DOTALL)
    )
    assert first.startswith("predict, batch 1 numpy fused median: 63.0 µs median")
    assert "2.90 x [2.80, 3.01]" in first
    assert "not told apart" not in first
    assert "not told apart from numpy fused" in second
    assert third == "train step numpy fused median: 1.00 s median nothing was compared with it"


def test_warnings_are_said_once(rich):
    """A warning stands at the top of the page, above the answer, and nowhere else."""
    assert [Reader(line).text() for line in re.findall(r'<p class="warning".*?</p>', rich)] == [
        "Warning: It drifted: 1.31 x; the bound is 1.10 x. See there."
    ]
    places = [rich.index(f'class="{name}"') for name in ("warning", "short", "cards")]
    assert places == sorted(places)


def test_hoisted():
    """The warnings of sections leave their sections, each one once; all other paragraphs stay."""
    one, other = Alarm("one"), Alarm("other")
    alarms, sections = report.hoisted([Section("a", ["x", one], after=[other, "y"]), Section("b", [one])])
    assert alarms == [one, other]
    assert sections == [Section("a", ["x"], after=["y"]), Section("b", [], after=[])]


def test_only_like_rows_sort(rich):
    """Only a table whose rows are the same quantity has heads to click on."""
    assert rich.count('class="sortable"') == 1
    assert rich.count("<button") == len(SORTED.head)


def test_columns():
    """Columns of figures are told from words, from quotes and from prose, by what their cells are."""
    assert page.columns(SORTED) == [
        page.Column("", False, False, False),
        page.Column("time", True, False, False),
        page.Column("original report", False, True, False),
        page.Column("note", False, False, False),
    ]
    assert [column.prose for column in page.columns(PROSE)] == [False, False, False, False, True]


@pytest.mark.parametrize("word", ["", "red; } body { display: none", "neutral-1"])
def test_colour_comes_from_the_palette(word):
    """A word that is no framework's colour does not get into the page."""
    text = page.render(Report("a", answers=[Answer("b", [contender("x", "y", 1.0)])], colours={"x": word}))
    assert 'class="winner own-grey"' in text
    assert "display: none; }" not in text.partition("</style>")[2]


def test_pictures(rich):
    """A picture has its size and says in words what is seen."""
    images = [attributes for tag, attributes in Reader(rich).tags if tag == "img"]
    assert [(image["width"], image["height"], image["alt"]) for image in images] == [
        ("64", "32", 'a <3>, "green"'),
        ("270", "135", "values"),
    ]


def test_shades():
    """Off the diagonal a number is shaded by the largest of these; the diagonal and the names of the rows are not."""
    table = Table(
        ["", "a", "b"], [[Words("a"), *(Quantity(n, COUNT) for n in (9, 2))], [Words("b"), *(Quantity(n, COUNT) for n in (1, 8))]]
    )
    assert page.shades(table) == [[None, None, 1.0], [None, 0.5, None]]
    nothing = Table(
        ["", "a", "b"], [[Words("a"), *(Quantity(n, COUNT) for n in (9, 0))], [Words("b"), *(Quantity(n, COUNT) for n in (0, 8))]]
    )
    assert page.shades(nothing) == [[None, None, 0], [None, 0, None]]


def test_a_square_table_is_shaded(rich):
    """What is wrong has its shade, what is right stands out, and 0 has neither."""
    (square,) = re.findall(r'<div class="scroll[^"]* square.*?</table>', rich, re.DOTALL)
    assert square.count('class="figure hit"') == 10
    shaded = [row[column].value for at, row in enumerate(SQUARE.rows) for column in range(1, 11) if column != at + 1]
    assert square.count("--heat: ") == sum(value > 0 for value in shaded)
    assert rich.count("--heat: ") == square.count("--heat: ")


def test_prose():
    """Bold and code become tags; everything else is text."""
    assert page.prose("a **b<i>** `c&` 3 * 4 ** 5") == "a <strong>b&lt;i&gt;</strong> <code>c&amp;</code> 3 * 4 ** 5"


def test_nothing_at_all():
    """No section, no plot, a table without rows: still a page, and nothing that is empty in it."""
    text = page.render(Report("a", sections=[Section("b"), Section("c", table=Table(["", "x"], []))]))
    assert "<main>" in text
    for tag in ("<table", "<ul", "<figure", 'class="short"', 'class="sure"'):
        assert tag not in text


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
  // The contrast of an element's text with what is behind it, by the rules of WCAG.
  const rgba = (colour) => { const found = colour.match(/[\\d.]+/g).map(Number); return found.length < 4 ? [...found, 1] : found; };
  const light = (colour) => colour.slice(0, 3).map((one) => one / 255)
    .map((one) => one <= 0.03928 ? one / 12.92 : ((one + 0.055) / 1.055) ** 2.4)
    .reduce((sum, one, index) => sum + one * [0.2126, 0.7152, 0.0722][index], 0);
  const over = (front, back) => back.map((one, index) => front[3] * front[index] + (1 - front[3]) * one);
  const behind = (element) => {
    const own = rgba(view.getComputedStyle(element).backgroundColor);
    return own[3] === 1 || !element.parentElement ? own.slice(0, 3) : over(own, behind(element.parentElement));
  };
  const contrast = (element) => {
    const back = behind(element);
    const found = [light(over(rgba(view.getComputedStyle(element).color), back)), light(back)].sort((a, b) => b - a);
    return Math.round(100 * (found[0] + 0.05) / (found[1] + 0.05)) / 100;
  };
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
    empty: all("td, th").filter((cell) => !cell.textContent.trim() && !cell.querySelector("img[alt]")).length,
    pictures: all("img").map((image) => [image.naturalWidth, ...box(image), view.getComputedStyle(image).imageRendering]),
    dashes: all("td, th").filter((cell) => cell.textContent.trim().startsWith("\\u2014"))
      .map((cell) => cell.querySelector("[title]")?.title ?? null),
    outside: all("main *").filter((element) => !element.closest(".scroll, svg, .hidden"))
      .filter((element) => element.getBoundingClientRect().right > view.innerWidth + 1).map((element) => element.outerHTML.slice(0, 80)),
    sorts: [],
    cut: all(".scroll").filter((box) => box.scrollWidth > box.clientWidth + 1).map((box) => box.getAttribute("aria-label")),
    covers: all(".scroll:not(.square) :is(td, thead th:not(:first-child))")
      .filter((cell) => rgba(view.getComputedStyle(cell).backgroundColor)[3] === 1).map((cell) => cell.outerHTML.slice(0, 80)),
    faint: all("body *").filter((element) => !element.closest("svg, .hidden, .skip, script, style"))
      .filter((element) => Array.from(element.childNodes).some((node) => node.nodeType === 3 && node.textContent.trim()))
      .filter((element) => contrast(element) < 4.5).map((element) => `${contrast(element)}: ${element.outerHTML.slice(0, 80)}`),
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
    broken = page.render(Report("")).replace('"use strict";', '"use strict"; nothing.there;')
    _, console = visit(broken, (390,), "() => 0", tmp_path)
    assert any("Content Security Policy" in line for line in console)


def test_page_never_scrolls_sideways(seen):
    """At no width is anything wider than the window; tables scroll in their own box."""
    for fact in seen[0]:
        assert fact["page"] <= fact["width"]
        assert fact["outside"] == []


def test_words_wrap(seen):
    """A table of words is whole at every width; one of figures may scroll in its own box on a phone."""
    at_1280, at_390 = (fact["cut"] for fact in seen[0])
    assert at_1280 == []
    assert at_390 in ([], ["Table: Times"])


def test_more_of_a_table_shows(seen):
    """A shadow at the edge of its box says that a table goes on: it lies behind the cells, and no cell that scrolls covers it."""
    for fact in seen[0]:
        assert fact["covers"] == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_contrast(rich, tmp_path, scheme):
    """All text stands out from what is behind it by at least 4.5 to 1."""
    media = "@media screen and (prefers-color-scheme: dark)"
    assert media in rich
    facts, _ = visit(rich if scheme == "light" else rich.replace(media, "@media screen"), (1280,), LOOK, tmp_path)
    assert facts[0]["faint"] == facts[0]["covers"] == []


def test_contrast_is_seen(rich, tmp_path):
    """The test above would see it: the warning as it once was, 4.48 to 1."""
    once = re.sub(r"--warn-edge: #\w+; --link: #0b5cad", "--warn-edge: #c8410b; --link: #0b5cad", rich)
    facts, _ = visit(once, (1280,), LOOK, tmp_path)
    assert [line.partition(":")[0] for line in facts[0]["faint"]] == ["4.48"]


def test_plots_have_marks_in_the_browser(seen, drawn):
    """Every plot is drawn, with marks of some size, and its text can be read on a phone."""
    for fact in seen[0]:
        assert [figure["name"] for figure in fact["figures"]] == [plot.name for plot in drawn]
        for figure, plot in zip(fact["figures"], drawn, strict=True):
            assert min(figure["box"]) > 100
            assert len(figure["marks"]) == plot.svg.count(f'id="{plot.name}-mark-') > 0
            assert all(width > 1 and height > 1 for width, height in figure["marks"]), figure
            assert figure["letters"] >= 9


def test_no_cell_is_empty(seen):
    """Where there is no figure there is a dash, and the dash says why."""
    for fact in seen[0]:
        assert fact["empty"] == 0
        assert fact["dashes"] == ["too <slow>", NOT_PRINTED.reason, "too <slow>"]


def test_pictures_in_the_browser(seen):
    """A picture is decoded, as large as it says, on a phone too, and its pixels stay squares."""
    for fact in seen[0]:
        assert fact["pictures"] == [[2, 64, 32, "pixelated"], [2, 270, 135, "pixelated"]]


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
