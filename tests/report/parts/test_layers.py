"""What a network sees is shown from the pictures that its training kept, in a page alone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from benchmarks.arrange.pictures import encoded
from benchmarks.report import markdown, page, report
from benchmarks.report.parts import layers, mistakes
from benchmarks.report.records import Picture
from tests.support.documents import PICTURE
from tests.support.runs import run_of
from tests.support.seen import PICTURES, trained, two


def sections(**extra):
    return layers.sections(run_of(trained("torch", "eager", [1], [0.9], **extra)))


def test_filters_and_layers():
    """A row before and one after training; a row for the image and one for each layer, as large as fits."""
    filters, each = layers.sections(two())
    assert [row[0].text for row in filters.table.rows] == ["before training", "after training"]
    assert [row[0].text for row in each.table.rows] == [
        *("input", "convolution 1", "pooling 1", "convolution 2", "pooling 2"),
        *("dense 1", "dense 2", "dense 3", "probabilities"),
    ]
    assert filters.table.rows[1][1] == Picture(PICTURE, 24, 12, "The first layer's filters after training")
    assert each.table.rows[0][1].alt == "Test image 0, which is round red: input"
    assert each.before == [
        "Test image 0 is round red; numpy fused said round red with a probability of 95.0 %. From each layer on black is its least value and "
        "white its largest. In the last two rows a square is a class, shape by shape from left to right, colour by colour from top to bottom."
    ]


def test_markdown_has_neither():
    """They are nothing without their pictures, and so only in the page."""
    found = report.of(two())
    text, html = markdown.render(found), page.render(found)
    assert "## Most surely wrong" in text
    for title in ("The first layer, before and after", "One image after each layer"):
        assert title not in text
        assert f"<h2>{title}</h2>" in html


def test_what_a_file_need_not_hold():
    """What a training kept no picture of has no row; without any there is no section, and none without a training."""
    assert sections(pictures=[]) == sections(pictures=None) == layers.sections(run_of()) == []
    (only,) = sections(pictures=[["after pool1", PICTURE]])
    assert [row[0].text for row in only.table.rows] == ["pooling 1"]
    assert sections(pictures=[[name, "<b>"] for name, _ in PICTURES]) == []


def test_classes_without_names():
    """Where classes are numbers they stand in their order."""
    _, each = sections(aspects=[])
    assert each.before[0].startswith("Test image 0 is class 0; torch eager said class 1 with")
    assert each.before[0].endswith("In the last two rows a square is a class, in their order.")


def test_the_page_stays_small():
    """Of images of noise, which pack worst, and of five networks that disagree on all, pictures and tables are less than 150 kB."""
    random = np.random.RandomState(0)
    noise = [[name, encoded(random.randint(0, 256, (32, 32, 4)).astype(np.uint8) | [0, 0, 0, 255])] for name, _ in PICTURES]
    noise += [[f"image {number}", noise[0][1]] for number in range(450)]
    found = run_of(
        *(
            trained(name, "eager", [at] * 450, [0.9] * 450, test_labels=[5] * 450, pictures=noise)
            for at, name in enumerate(("jax", "numpy", "tensorflow", "torch", "another"))
        )
    )
    assert len(mistakes.sections(found)) == 4
    without = replace(found, cases=tuple(replace(case, extra={**case.extra, "test_labels": None}) for case in found.cases))
    assert 50_000 < len(page.render(report.of(found))) - len(page.render(report.of(without))) < 150_000
