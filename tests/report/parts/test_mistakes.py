"""What the networks get wrong is told from what the cases saved of each test image, and from nothing else."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from benchmarks.report import page, report
from benchmarks.report.parts import mistakes
from benchmarks.report.records import Dash, Picture
from benchmarks.report.sight import NOT_KEPT, Classes, trainings
from tests.report.test_page import Reader
from tests.support.documents import PICTURE
from tests.support.runs import run_of, said
from tests.support.seen import ASPECTS, trained, two

TEXT = """\
## Which shape is taken for which?

numpy fused has the shape right in 4 of 6 test images. A row is what the image is, a column what the network said.

| shape  | round | long | square |
| ------ | ----: | ---: | -----: |
| round  |     2 |    0 |      0 |
| long   |     1 |    1 |      0 |
| square |     1 |    0 |      1 |

## Which colour is taken for which?

numpy fused has the colour right in 5 of 6 test images. A row is what the image is, a column what the network said.

| colour | red | blue |
| ------ | --: | ---: |
| red    |   2 |    1 |
| blue   |   0 |    3 |

## Most surely wrong

numpy fused gets 2 test images wrong. Here are those of whose wrong class it was surest, and what the others say of them.

Images are numbered from 0. Behind what a network said stands how sure it was: the probability that it gave this class.

|         | is         |        numpy fused |         torch eager |
| ------- | ---------- | -----------------: | ------------------: |
| image 4 | square red | round blue, 99.0 % | square blue, 50.0 % |
| image 2 | long red   |  round red, 75.0 % |   round red, 70.0 % |

## Where implementations differ

The networks began with the same weights and saw the same batches. They do not all say the same of 1 of 6 test images.

Images are numbered from 0. Behind what a network said stands how sure it was: the probability that it gave this class.

|         | is         |        numpy fused |         torch eager |
| ------- | ---------- | -----------------: | ------------------: |
| image 4 | square red | round blue, 99.0 % | square blue, 50.0 % |

"""


def test_whole_text():
    """The whole of it, of two networks; the one by hand comes first, wherever it stands in the file."""
    assert said(mistakes, two()) == TEXT


def lines(run):
    """The text, each line without the spaces that line up its columns."""
    return [re.sub(" +", " ", line) for line in said(mistakes, run).splitlines()]


def sections(run):
    return {section.title: section for section in mistakes.sections(run)}


def test_pictures():
    """The picture of an image stands in its row, twice as large, with words that say what is seen; a dash where none was kept."""
    (missing, kept) = (row[1] for row in sections(two())["Most surely wrong"].table.rows)
    assert kept == Picture(PICTURE, 4, 2, "Test image 2, which is long red")
    assert missing == NOT_KEPT
    assert isinstance(missing, Dash)


def test_another_training_kept_it():
    """Where the first network's training kept no picture of an image, that of another is shown."""
    by_hand, other = trainings(two())
    run = run_of(replace(by_hand, extra={**by_hand.extra, "pictures": None}), other)
    assert [type(row[1]) for row in sections(run)["Most surely wrong"].table.rows] == [Dash, Picture]


def test_what_is_right_is_marked():
    """An answer that is right is marked among those that are not."""
    run = run_of(trained("numpy", "fused", [0, 0], [0.9, 0.8]), trained("torch", "eager", [0, 1], [0.9, 0.8]))
    assert "| image 1 | round blue | round red, 80.0 % | round blue ✓, 80.0 % |" in lines(run)


def test_one_network():
    """One network differs from none."""
    assert list(sections(run_of(trained("torch", "eager", [1], [0.9])))) == [
        "Which shape is taken for which?",
        "Which colour is taken for which?",
        "Most surely wrong",
    ]


def test_nothing_is_wrong():
    """A network that is right says so without a table; networks that agree, likewise."""
    right = [trained(framework, "eager", [0, 1, 2], [0.9] * 3) for framework in ("torch", "jax")]
    found = sections(run_of(*right))
    assert [section.table for section in found.values()] == [None, None, None]
    assert found["Which colour is taken for which?"].before == ["torch eager has the colour right in 3 of 3 test images."]
    assert found["Where implementations differ"].before == ["Nowhere: all 2 say the same of each of the 3 test images."]


def test_many():
    """Of many images there are the surest, and of those that networks differ in the first, in their order."""
    count = 30
    labels, sure = [0] * count, [(7 * number % count) / count for number in range(count)]
    one = trained("numpy", "fused", [1] * count, sure, test_labels=labels)
    found = sections(run_of(one, trained("torch", "eager", [2] * count, sure, test_labels=labels)))

    surest = sorted(range(count), key=lambda number: -sure[number])[: mistakes.MOST_IMAGES]
    for title, numbers in (("Most surely wrong", surest), ("Where implementations differ", range(mistakes.MOST_IMAGES))):
        assert [row[0].text for row in found[title].table.rows] == [f"image {number}" for number in numbers]
    assert found["Where implementations differ"].before[0].endswith("of 30 of 30 test images. Here are the first 8.")


def test_classes_without_names():
    """Where classes are numbers, the table is of the numbers that occur."""
    run = run_of(trained("numpy", "fused", [7, 9], [0.9, 0.8], test_labels=[7, 8], aspects=[]))
    assert "| class | 7 | 8 | 9 |" in lines(run)
    assert "| image 1 | class 8 | class 9, 80.0 % |" in lines(run)


def test_many_classes():
    """Of more values than a table has room for, the most frequent mistakes are listed."""
    count = 2 * mistakes.MOST_COLUMNS
    labels = [*range(count), 5, 5]
    predictions = [*((number + 1) % count for number in range(count)), 6, 6]
    run = run_of(trained("numpy", "fused", predictions, [0.5] * len(labels), test_labels=labels, aspects=[]))
    table = sections(run)["Which class is taken for which?"].table
    assert table.head == ["class", "taken for", "images"]
    assert [(row[0].text, row[1].text, row[2].value) for row in table.rows[:2]] == [("5", "6", 3), ("0", "1", 1)]
    assert len(table.rows) == mistakes.MOST_FREQUENT


@pytest.mark.parametrize("lacking", ["test_labels", "test_probabilities"])
def test_older_runs(lacking):
    """A run that does not say what each image is, or how sure a network was, has none of this."""
    case = trained("numpy", "fused", [1], [0.9])
    assert mistakes.sections(run_of(case))
    assert mistakes.sections(run_of(replace(case, extra={**case.extra, lacking: None}))) == []


def test_no_training():
    """Nor has a run without a training."""
    assert mistakes.sections(run_of()) == []


def test_other_images():
    """A training on images with other labels is not compared, image by image, with the first."""
    run = run_of(trained("numpy", "fused", [1], [0.9]), trained("torch", "eager", [2], [0.9], test_labels=[2]))
    assert [case.framework for case in trainings(run)] == ["numpy"]


def test_names_of_classes():
    """The last aspect changes from each class to the next; beyond the last class there is no name."""
    classes = Classes([(name, values) for name, values in ASPECTS])
    assert [classes.name(number) for number in range(7)] == [
        *("round red", "round blue", "long red", "long blue", "square red", "square blue"),
        "class 6",
    ]
    assert classes.parts(3) == (1, 1)
    with pytest.raises(ValueError, match="class 6 has no name"):
        classes.parts(6)


def test_names_that_do_not_fit():
    """Where a file names fewer classes than it has, or with names that have no room, the report does without, or cuts them."""
    fewer = run_of(trained("numpy", "fused", [1, 10**15], [0.9, 0.8], test_labels=[1, 7]))
    assert "| class | 1 | 7 | 1000000000000000 |" in lines(fewer)
    long = run_of(trained("numpy", "fused", [1], [0.9], aspects=[["shape" * 99, ["round" * 99, "long"]]]))
    assert max(map(len, sections(long))) < 60
    assert "roundroundroundroundrou…" in said(mistakes, long)


def test_names_are_text():
    """Whatever a file calls its classes is text in the page: in headings, tables, and the words for a picture."""
    hostile = "\"><b onload='x'>"
    run = run_of(trained("numpy", "fused", [1, 1, 1], [0.9] * 3, aspects=[[hostile, [hostile] * 3]]))
    found = Reader(page.render(report.of(run)))

    assert "b" not in {tag for tag, _ in found.tags}
    assert not [name for _, attributes in found.tags for name in attributes if name.startswith("on")]
    assert f"Which {hostile} is taken for which?" in found.text()
    assert f"Test image 2, which is {hostile}" in [attributes.get("alt") for _, attributes in found.tags]
