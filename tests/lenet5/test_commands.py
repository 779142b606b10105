"""The commands train, predict and show, as a user meets them: what they print, what they leave on disk, and how they refuse."""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from PIL import Image

import lenet5
from lenet5 import __main__ as commands
from lenet5 import about, command_predict, command_train, datasets, drawing
from lenet5.about import About
from lenet5.architecture import NAMES
from tests.support.copies import PROJECT
from tests.support.networks import grey_digits

SIDES = (20, 40, 64)


def picture(kind: str, number: int) -> Image.Image:
    """A bright disc or a bright frame on a dark ground, each picture a little different."""
    random = np.random.RandomState(number)
    side = SIDES[number % 3]
    y, x = np.mgrid[-1 : 1 : side * 1j, -1 : 1 : side * 1j]
    inside = x**2 + y**2 < 0.5 if kind == "disc" else np.maximum(abs(x), abs(y)) > 0.75
    grey = np.where(inside, 210, 40) + random.randint(-15, 16, (side, side))
    return Image.fromarray(np.stack([grey, grey - 20, grey], axis=-1).astype(np.uint8))


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    """24 pictures of two classes."""
    folder = tmp_path_factory.mktemp("data") / "photos"
    for kind in ("disc", "a frame"):
        (folder / kind).mkdir(parents=True)
        for number in range(12):
            picture(kind, number).save(folder / kind / f"{number:02}.{'jpg' if number % 2 else 'png'}")
    return folder


@pytest.fixture
def command(capsys, tmp_path, monkeypatch):
    """command(*arguments) -> exit code, standard output, standard error; run in an empty folder."""
    monkeypatch.chdir(tmp_path)

    def call(*arguments):
        try:
            code = commands.main([str(argument) for argument in arguments])
        except SystemExit as end:
            code = end.code
        return code, *capsys.readouterr()

    return call


@pytest.fixture(scope="module")
def net(photos, tmp_path_factory):
    """A file with a network that tells the two classes apart."""
    file = tmp_path_factory.mktemp("net") / "net.safetensors"
    assert commands.main(["train", f"imagefolder:{photos}", "--epochs", "8", "--save", str(file)]) == 0
    return file


# ----------------------------------------------------------------------------------------------------------------- train


def test_train(command, tmp_path, photos):
    """A few pictures are learned: said are what was there, the batch, the best epoch, the test; the file and the plot are there."""
    code, out, err = command("train", f"imagefolder:{photos}", "--epochs", 8, "--save", "net.npz", "--plot", "curves.svg")

    assert (code, err) == (0, "")
    images, classes, batch, best, test, saved, drawn = out.splitlines()
    assert images == f"imagefolder:{photos}: 20 images to train on, 2 for validation, 2 for the test"
    assert classes == "2 classes: a frame, disc"
    assert batch == "batches of 4 images, so 5 updates an epoch (chosen for 20 images; --batch N chooses another)"
    assert re.fullmatch(r"epoch [1-8] was the best: 100\.0% of the validation images right", best)
    assert test == "of the test images 2 of 2 right (100.0%)"
    assert (saved, drawn) == ("saved: net.npz", "drawn: curves.svg")
    assert sorted(os.listdir(tmp_path)) == ["curves.svg", "net.npz"]
    _, found = lenet5.load_network("net.npz")
    assert found == about.of(datasets.load(f"imagefolder:{photos}"), "relu")


def test_the_same_again(command, photos):
    """The same command gives the same network; another seed, rate or activation another one; the file knows its activation."""
    options = {"one": [], "same": [], "seed": ["--seed", 1, "--learning-rate", "0.01"], "tanh": ["--activation", "tanh"]}
    found = {}
    for name, more in options.items():
        assert command("train", f"imagefolder:{photos}", "--epochs", 1, "--save", f"{name}.npz", *more)[0] == 0
        found[name] = lenet5.load_network(f"{name}.npz")

    assert_array_equal(found["one"][0]["fc1.weight"], found["same"][0]["fc1.weight"])
    assert len({weights["fc1.weight"].tobytes() for weights, _ in found.values()}) == 3
    assert [said.activation for _, said in found.values()] == ["relu"] * 3 + ["tanh"]


class Learner:
    """A network whose weights say how many epochs it has trained; its validation accuracy and loss go as they are told."""

    def __init__(self):
        self.epoch = 0

    def weights(self):
        return {"epoch": np.array([self.epoch])}


@pytest.mark.parametrize(
    ("accuracies", "losses", "kept"),
    [
        ([0.5, 0.9, 0.8], [1, 2, 1], 2),
        ([0.5, 0.9, 0.9], [1, 2, 1], 3),
        ([0.9, 0.9, 0.9], [1, 1, 1], 1),
        ([0.9, 0.1, 0.1], [float("nan"), 2, 3], 2),
        ([0.9, 0.9], [float("nan"), float("inf")], 0),
    ],
    ids=["most-right", "of-equals-the-lower-loss", "then-the-first", "no-number", "never-a-number"],
)
def test_which_epoch_is_kept(accuracies, losses, kept):
    """The one with the most validation images right, at the end of which its weights are copied."""
    best = command_train.Best(Learner())
    for epoch in range(1, len(losses) + 1):
        best.net.epoch = epoch
        history = lenet5.training.History(
            validation_accuracy=accuracies[:epoch], validation_loss_nats=losses[:epoch], train_loss_nats=losses[:epoch]
        )
        best.look(history)
    assert best.epoch == kept
    assert best.weights == ({"epoch": np.array([kept])} if kept else {})


def test_next_to_no_images(command, tmp_path):
    """Fewer images than any batch: three of one class, one of the other.  All that is left to train on is one batch."""
    for kind, count in (("disc", 3), ("frame", 1)):
        (tmp_path / kind).mkdir()
        for number in range(count):
            picture(kind, number).save(tmp_path / kind / f"{number}.png")
    code, out, err = command("train", "imagefolder:.", "--epochs", 1)
    assert (code, err) == (0, "")
    assert "2 images to train on, 1 for validation, 1 for the test\n" in out
    assert "batches of 2 images, so 1 update an epoch" in out


def test_what_is_saved_is_tested(command, monkeypatch, photos):
    """The test images meet the weights that are kept, here those of the first epoch of three, and not the last ones."""
    tried, shares = [], iter([0.9, 0.5, 0.4, 0.8])

    def evaluate(net, split):
        tried.append((net.weights()["fc3.bias"], len(split.labels)))
        return 1.0, next(shares)

    monkeypatch.setattr("lenet5.training.evaluate", evaluate)
    _, out, _ = command("train", f"imagefolder:{photos}", "--epochs", 3, "--save", "net.npz")

    assert "epoch 1 was the best: 90.0% of the validation images right\n" in out
    assert "of the test images 2 of 2 right (80.0%)\n" in out
    saved = lenet5.load_weights("net.npz")["fc3.bias"]
    assert [np.array_equal(weights, saved) for weights, _ in tried] == [True, False, False, True]


def interrupted_after(epochs, monkeypatch):
    """Ctrl-C in the middle of the epoch behind these, between its updates and its validation."""
    evaluate, calls = lenet5.training.evaluate, iter(range(99))

    def evaluate_or_break(net, split):
        if next(calls) == epochs:
            raise KeyboardInterrupt
        return evaluate(net, split)

    monkeypatch.setattr("lenet5.training.evaluate", evaluate_or_break)


def test_ctrl_c(command, monkeypatch, photos):
    """The best until then is saved, drawn and tested, as if that had been all; the exit code is the shell's for Ctrl-C."""
    interrupted_after(3, monkeypatch)

    code, out, err = command("train", f"imagefolder:{photos}", "--epochs", 8, "--save", "net.npz", "--plot", "curves.svg")

    assert (code, err) == (130, "interrupted after epoch 3 of 8\n")
    assert re.search(r"^epoch [1-3] was the best", out, re.MULTILINE)
    assert out.endswith("saved: net.npz\ndrawn: curves.svg\n")
    assert len(lenet5.load_weights("net.npz")["fc3.bias"]) == 2


def test_ctrl_c_while_an_epoch_is_kept(command, monkeypatch, photos):
    """It is kept whole or not at all: this one, the first, is not."""

    def interrupted(_):
        raise KeyboardInterrupt

    monkeypatch.setattr(lenet5.implementation(lenet5.reference()[0]), "weights", interrupted)
    code, _, err = command("train", f"imagefolder:{photos}", "--save", "net.npz")
    assert (code, err) == (130, "interrupted before the first epoch ended: there is nothing to keep\n")


def test_ctrl_c_in_the_first_epoch(command, monkeypatch, tmp_path, photos):
    """There is nothing to keep, and an older file stays."""
    (tmp_path / "net.npz").write_text("older")

    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("lenet5.training.train_epoch", interrupted)
    code, _, err = command("train", f"imagefolder:{photos}", "--save", "net.npz")

    assert (code, err) == (130, "interrupted before the first epoch ended: there is nothing to keep\n")
    assert (tmp_path / "net.npz").read_text() == "older"


@pytest.mark.slow  # a process and its start; test_ctrl_c is quick
@pytest.mark.skipif(os.name != "posix", reason="signals are sent as on Unix")
def test_a_real_ctrl_c(tmp_path, photos):
    """In the middle of whatever is computed then."""
    line = [
        sys.executable,
        "-m",
        "lenet5",
        "train",
        f"imagefolder:{photos}",
        "--epochs",
        "99999",
        "--save",
        str(tmp_path / "n.npz"),
    ]
    watch = (
        # What runs in the background of a shell inherits that it does not hear Ctrl-C.
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "import sys, lenet5.training as t; e = t.evaluate\ndef f(*a):\n print('epoch', flush=True)\n return e(*a)\nt.evaluate = f\n"
    )
    line[1:3] = ["-c", f"{watch}from lenet5.__main__ import main; sys.exit(main(sys.argv[1:]))"]
    with subprocess.Popen(line, cwd=PROJECT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        while process.stdout.readline() != "epoch\n":
            pass
        process.stdout.readline()  # the end of the second epoch: the first has been kept
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)

    assert process.returncode == 130
    assert re.fullmatch(r"interrupted after epoch \d+ of 99999\n", err)
    assert os.listdir(tmp_path) == ["n.npz"]
    assert lenet5.load_network(tmp_path / "n.npz")[1].names == ("a frame", "disc")


@pytest.mark.parametrize("framework", [name for name in lenet5.frameworks() if lenet5.trains(name)])
def test_every_framework(command, photos, framework):
    """Whichever trains, the file is of one kind, and the network by hand predicts from it."""
    if reason := lenet5.missing(framework):
        pytest.skip(reason)
    code, _, _ = command("train", f"imagefolder:{photos}", "--framework", framework, "--epochs", 1, "--save", "net.safetensors")
    assert code == 0
    assert command("predict", "net.safetensors", photos / "disc" / "00.png")[0] == 0


def test_learning_that_explodes(command, tmp_path, photos):
    """Weights that are no numbers are not saved, and NumPy's warnings of numbers too large are not shown."""
    code, _, err = command("train", f"imagefolder:{photos}", "--epochs", 2, "--learning-rate", 1e300, "--save", "net.npz")
    assert (code, err) == (
        2,
        "--learning-rate 1e+300: the loss is no number after epoch 2; a smaller one would be right\n",
    )
    assert os.listdir(tmp_path) == []


def test_the_largest_seed(command, photos):
    """The second epoch's shuffle goes on from the smallest one."""
    assert command("train", f"imagefolder:{photos}", "--epochs", 2, "--seed", 2**32 - 1)[0] == 0


def test_a_named_pipe_is_no_image(command, tmp_path, photos):
    """What may never be written into is not waited for."""
    assert command("train", f"imagefolder:{photos}", "--epochs", 1, "--save", "net.npz")[0] == 0
    os.mkfifo(tmp_path / "pipe.png")
    code, out, err = command("predict", "net.npz", "pipe.png")
    assert (code, out) == (2, "")
    assert err == "pipe.png: is no file; an intact one, such as a PNG or JPEG, would be right\n"


def test_many_classes_and_no_file(command, monkeypatch):
    """Not every name of fifty is listed; without a file that is said."""
    data = grey_digits()
    monkeypatch.setattr(datasets, "load", lambda _: data)
    monkeypatch.setattr(command_train, "MOST_NAMES", 3)
    _, out, _ = command("train", "digits", "--epochs", 1)
    assert "10 classes: 0, 1, 2, ...\n" in out
    assert "batches of 64 images, so 64 updates an epoch (chosen" in out
    assert out.endswith("not saved: --save FILE would have kept the network\n")


# --------------------------------------------------------------------------------------------------------------- predict


def test_predict(command, net, photos):
    """One line an image: path, class, probability; more of them with --top, which add up to one; a folder is all its images."""
    disc, frame = photos / "disc" / "03.jpg", photos / "a frame" / "04.png"
    code, out, err = command("predict", net, disc, frame)

    assert (code, err) == (0, "")
    lines = [line.split("\t") for line in out.splitlines()]
    assert [line[:2] for line in lines] == [[str(disc), "disc"], [str(frame), "a frame"]]
    assert all(0.5 < float(line[2]) <= 1 for line in lines)

    _, out, _ = command("predict", net, photos, "--top", 9)
    lines = [line.split("\t") for line in out.splitlines()]
    assert [Path(line[0]) for line in lines] == sorted(photos.glob("*/*"))
    for _, first, p, second, q in lines:
        assert {first, second} == {"disc", "a frame"}
        assert float(p) >= float(q)
        assert float(p) + float(q) == pytest.approx(1, abs=2e-4)


def test_predict_in_calls(command, net, photos, monkeypatch):
    """Of many images a few at a time, in their order, and nobody can tell."""
    together = command("predict", net, photos)
    monkeypatch.setattr(command_predict, "IMAGES_A_CALL", 5)
    assert command("predict", net, photos) == together


@pytest.mark.parametrize("names", [("fc3.weight",), NAMES], ids=["the last layer", "every layer"])
def test_weights_that_are_too_large(command, photos, names):
    """Finite weights of which float32 cannot hold the answer are one line that names their file, and no probability."""
    weights = lenet5.initial_weights(lenet5.Architecture(1, 3))
    lenet5.save_weights("net.npz", {**weights, **{name: np.full_like(weights[name], 3e38) for name in names}})

    code, out, err = command("predict", "net.npz", photos / "disc" / "00.png")

    assert (code, out) == (2, "")
    assert err.splitlines()[1:] == [
        f"net.npz: computes no finite number for {photos}/disc/00.png, its weights are too large; "
        "weights of a network that was trained to its end would be right"
    ]


def test_what_could_not_be_read_for_a_reader_that_leaves(command, net, photos, monkeypatch):
    """What could not be read before it left is still in the exit code."""
    monkeypatch.setattr(command_predict, "IMAGES_A_CALL", 1)
    monkeypatch.setattr(command_predict, "say", lambda line: False)
    assert command("predict", net, "nothing.png", photos)[0] == 2
    assert command("predict", net, photos)[0] == 0


@pytest.mark.parametrize("name", ["digits", "colour-digits"])
def test_an_image_is_prepared_as_in_training(tmp_path, name):
    """A file with the pixels of an image of the data set becomes the very numbers that the network was trained on: scaled, centred, padded."""
    data = grey_digits() if name == "digits" else datasets.load(name)
    pixels = np.rint((data.test.images[7] + data.mean[:, None, None]) * 255).astype(np.uint8)[:, 2:-2, 2:-2]
    Image.fromarray(pixels[0] if len(pixels) == 1 else pixels.transpose(1, 2, 0)).save(tmp_path / "a.png")
    assert_array_equal(command_predict.prepared(tmp_path / "a.png", about.of(data), data.channels), data.test.images[7])


def test_weights_alone(command, photos):
    """A file that says nothing about its network is used all the same, and standard error says what was taken for it."""
    weights = lenet5.initial_weights(lenet5.Architecture(1, 3))
    lenet5.save_weights("net.npz", weights)

    code, out, err = command("predict", "net.npz", photos / "disc" / "00.png", "--top", 3)

    assert code == 0
    assert sorted(out.split("\t")[1::2]) == ["0", "1", "2"]
    assert err == (
        "net.npz: does not say what was taken off the images (taken: nothing, pixels / 255), the size of the images (taken: 32 x 32), "
        "the activation (taken: relu), the names of the classes (they are numbers)\n"
    )


def test_the_activation_counts(command, photos):
    """Of a network that was trained with another activation."""
    weights = lenet5.initial_weights(lenet5.Architecture(3, 2), seed=5)
    said = [About((0.5,) * 3, ("x", "y"), activation, 32) for activation in ("relu", "tanh")]
    for one in said:
        lenet5.save_weights(f"{one.activation}.npz", weights, one)
    found = [command("predict", f"{one.activation}.npz", photos / "disc" / "00.png") for one in said]
    assert [(code, err) for code, _, err in found] == [(0, "")] * 2
    assert found[0][1] != found[1][1]


def test_what_is_no_image(command, net, photos, tmp_path):
    """The others are predicted all the same, with a line each for what could not be read, and exit 2 at the end."""
    (tmp_path / "empty").mkdir()
    (tmp_path / "text.png").write_text("text")
    good = [photos / "disc" / "00.png", photos / "disc" / "01.jpg"]

    code, out, err = command("predict", net, good[0], "empty", "absent.png", "text.png", good[1])

    assert code == 2
    assert [line.split("\t")[0] for line in out.splitlines()] == list(map(str, good))
    right = "an intact file, such as a PNG or JPEG, would be right"
    assert err.splitlines() == [
        "empty: no image in it; one of .bmp, .gif, .jpeg, .jpg, .pgm, .png, .ppm, .tif, .tiff, .webp would be right",
        f"absent.png: cannot be read (No such file or directory); {right}",
        f"text.png: is no image that Pillow can read; {right}",
    ]


def test_odd_names(command, tmp_path):
    """A tab or a line end in the name of a file or of a class breaks no line."""
    weights = lenet5.initial_weights(lenet5.Architecture(3, 2))
    lenet5.save_weights("net.npz", weights, About((0.5,) * 3, ("a\tb", "c\nd"), "relu", 32))
    picture("disc", 0).save(tmp_path / "a\tb.png")
    _, out, _ = command("predict", "net.npz", "a\tb.png", "--top", 2)
    assert out.count("\n") == 1
    path, one, _, other, _ = out.split("\t")
    assert (path, {one, other}) == (r"'a\tb.png'", {r"'a\tb'", r"'c\nd'"})


def test_other_channels(command, photos):
    """A network of four channels sees no picture."""
    lenet5.save_weights("net.npz", lenet5.initial_weights(lenet5.Architecture(4, 2)))
    code, out, err = command("predict", "net.npz", photos / "disc" / "00.png")
    assert (code, out) == (2, "")
    assert err == "net.npz: takes images of 4 channels; 1 (grey) or 3 (colour) would be right\n"


def test_a_factored_network(command, photos):
    """One that not every mode runs."""
    from lenet5.compression import factorize

    weights = factorize(lenet5.initial_weights(lenet5.Architecture(3, 2)), {"conv2": 4})
    lenet5.save_weights("net.npz", weights)
    assert command("predict", "net.npz", photos / "disc" / "00.png")[0] == 0


# ------------------------------------------------------------------------------------------------------------------ show


def test_show(command, net):
    """Every layer with its shapes and counts, which add up, and what the file says beside them."""
    code, out, err = command("show", net)

    assert (code, err) == (0, "")
    weights = lenet5.load_weights(net)
    assert out.startswith(drawing.text(weights, "relu"))
    for layer, held, macs in [("conv1", "456", "352,800"), ("conv2", "2,416", "240,000"), ("fc1", "48,120", "48,000")]:
        assert re.search(rf"^  \|    {layer}: weight [\dx ]+, bias \d+ +{held} +{macs}$", out, re.MULTILINE)
    held, macs = (
        [int(n.replace(",", "")) for n in column] for column in zip(*re.findall(r"bias \d+ +([\d,]+) +([\d,]+)", out), strict=True)
    )
    assert re.search(rf"^ +together +{sum(held):,} +{sum(macs):,}$", out, re.MULTILINE)
    assert sum(held) == lenet5.cost.parameters(weights)
    assert "classes: a frame, disc\n" in out
    assert "images: resized to 32 x 32\n" in out


def test_show_of_a_smaller_network():
    """Shapes are those of the weights: filters and units that are gone, layers of two factors."""
    from lenet5.compression import factorize

    weights = factorize(lenet5.initial_weights(lenet5.Architecture(1, 10)), {"fc1": 32})
    out = drawing.text(weights, "tanh")
    assert "image  1 x 32 x 32\n" in out
    assert "fc1: basis 32 x 400, weight 120 x 32, bias 120  " in out
    assert f"{lenet5.cost.forward_macs(weights):,}" in out.splitlines()[-1]


def test_show_of_weights_alone(command):
    """It invents nothing."""
    lenet5.save_weights("net.npz", lenet5.initial_weights(lenet5.Architecture(1, 3)))
    _, out, _ = command("show", "net.npz")
    assert "activation (the file does not say which), then" in out
    assert out.splitlines()[-1].split()[0] == "together"


# ------------------------------------------------------------------------------------------------------------ the manners


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("mistake", "python -m lenet5: argument COMMAND: invalid choice: 'mistake'"),
        ("train", "python -m lenet5 train: the following arguments are required: DATASET"),
        ("train nosuch", "dataset: 'nosuch' is not known; choose one of "),
        ("train imagefolder:", "imagefolder: names no directory; imagefolder:DIR, with a folder for each class"),
        ("train imagelist:", "imagelist: names no directory; imagelist:DIR, one with train.txt"),
        ("train imagefolder:nosuch", "imagefolder:nosuch: no such directory; one with "),
        ("train digits --framework nosuch", "python -m lenet5 train: argument --framework: invalid choice: 'nosuch'"),
        *(
            (f"train digits --framework {name}", f"python -m lenet5 train: argument --framework: invalid choice: '{name}'")
            for name in lenet5.frameworks()
            if not lenet5.trains(name)
        ),
        ("train digits --epochs 0", "python -m lenet5 train: argument --epochs: '0' is no whole number from 1 to 9999999999"),
        ("train digits --batch -3", "python -m lenet5 train: argument --batch: '-3' is no whole number from 1 to 9999999999"),
        (
            "train digits --epochs 99999999999",
            "python -m lenet5 train: argument --epochs: '99999999999' is no whole number from 1 to",
        ),
        (f"train digits --seed {'9' * 5000}", f"python -m lenet5 train: argument --seed: '{'9' * 79} is no whole number from 0"),
        ("train digits --save ''", "python -m lenet5 train: argument --save: '' names nothing; a file or a folder would be right"),
        (f"train digits --save {'n' * 249}.npz", f"{'n' * 249}.npz: cannot be written (File name too long); name a file where one"),
        ("predict nosuch.npz ''", "python -m lenet5 predict: argument IMAGE: '' names nothing; a file or a folder would be right"),
        ("train digits --seed 4294967296", "python -m lenet5 train: argument --seed: '4294967296' is no whole number from 0"),
        ("train digits --learning-rate nan", "python -m lenet5 train: argument --learning-rate: 'nan' is no number above 0"),
        ("train digits --save net.pt", "net.pt: the ending '.pt' is not known; use .npz, .safetensors"),
        ("train digits --save nosuch/net.npz", "nosuch/net.npz: the folder nosuch does not exist; make it first"),
        ("train digits --plot curves.gif", "curves.gif: the ending '.gif' is not known; use .svg, .png, .pdf"),
        ("train digits --plot nosuch/curves.svg", "nosuch/curves.svg: the folder nosuch does not exist; make it first"),
        ("predict", "python -m lenet5 predict: the following arguments are required: FILE, IMAGE"),
        ("predict nosuch.npz a.png", "nosuch.npz: no such file; expected weights as "),
        (
            "predict nosuch.npz a.png --top 0",
            "python -m lenet5 predict: argument --top: '0' is no whole number from 1 to 9999999999",
        ),
        ("show nosuch.safetensors", "nosuch.safetensors: no such file; expected weights as "),
        ("show --nosuch", "python -m lenet5: unrecognized arguments: --nosuch"),
        ("show 'a\nb'", r"a\nb: the ending '' is not known"),
    ],
    ids=str,
)
def test_bad_arguments(command, tmp_path, line, said):
    """What cannot be done is one line and exit 2, and leaves no trace."""
    code, out, err = command(*shlex.split(line))
    assert (code, out) == (2, "")
    assert err.startswith(said)
    assert err.count("\n") == 1
    assert os.listdir(tmp_path) == []


def test_too_large_a_batch(command, monkeypatch, photos):
    """It is said before anything is learned."""
    monkeypatch.setattr("lenet5.training.train_epoch", lambda *_: 1 / 0)
    code, _, err = command("train", f"imagefolder:{photos}", "--batch", 64)
    assert (code, err) == (2, "--batch 64: there are 20 images to train on; 1 to 20 would be right\n")


@pytest.mark.parametrize(
    ("line", "missing", "said"),
    [
        (
            "train imagefolder:. --save a.safetensors",
            ["PIL", "tqdm", "safetensors"],
            "train: the packages 'tqdm', 'pillow', 'safetensors' are not installed; pip install tqdm pillow safetensors",
        ),
        ("train digits --plot a.svg", ["matplotlib"], "train: the package 'matplotlib' is not installed; pip install matplotlib"),
        ("predict a.npz b.png", ["PIL"], "predict: the package 'pillow' is not installed; pip install pillow"),
        ("show a.safetensors", ["safetensors"], "show: the package 'safetensors' is not installed; pip install safetensors"),
    ],
)
def test_not_installed(command, monkeypatch, line, missing, said):
    """All that is missing is one line with the command for pip."""
    found = lenet5.packages.importlib.util.find_spec
    monkeypatch.setattr("lenet5.packages.importlib.util.find_spec", lambda name: None if name in missing else found(name))
    assert command(*line.split()) == (2, "", f"{said}\n")


def test_internal_errors_are_one_line(command, monkeypatch):
    """An error that no code foresaw is no traceback, unless the environment asks for it."""
    monkeypatch.setattr(drawing, "text", lambda *_: 1 / 0)
    code, _, err = command("show")
    assert code == 2
    assert err == "internal error: ZeroDivisionError: division by zero; please report it (LENET5_TRACEBACK=1 shows where)\n"
    monkeypatch.setenv("LENET5_TRACEBACK", "1")
    assert "Traceback" in command("show")[2]


def test_ctrl_c_elsewhere(command, monkeypatch):
    """Quietly."""

    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(drawing, "text", interrupted)
    assert command("show") == (130, "", "interrupted\n")


@pytest.mark.parametrize("words", [[], ["train"], ["predict"], ["show"]], ids=" ".join)
def test_help(command, monkeypatch, words):
    """Every help fits a terminal and has examples that the command understands; alone it is the list of the commands."""
    monkeypatch.setenv("COLUMNS", "80")
    code, out, err = command(*words, "--help")
    assert (code, err) == (0, "")
    examples = [shlex.split(line)[3:] for line in out.splitlines() if line.startswith("  python -m lenet5")]
    assert len(examples) >= 2
    for example in examples:
        assert commands.parse(example).function
    assert all(len(line) <= 80 for line in out.splitlines())
    if words:
        for action in commands.parse(examples[0]).parser._actions:
            assert re.fullmatch(r"[A-Z].*[.]", action.help), action.help
    else:
        assert command() == (0, out, "")


def test_a_reader_that_leaves(command, monkeypatch, net, photos):
    """Nothing is printed to it, and nothing is computed for it any more."""
    reading, writing = os.pipe()
    os.close(reading)
    predicted = []
    monkeypatch.setattr(command_predict, "IMAGES_A_CALL", 1)
    monkeypatch.setattr(command_predict, "prepared", lambda file, *_: predicted.append(file) or np.zeros((3, 32, 32), np.float32))
    with open(writing, "w") as stream:
        monkeypatch.setattr("sys.stdout", stream)
        code = commands.main(["predict", str(net), str(photos)])
        monkeypatch.undo()
    assert (code, len(predicted)) == (0, 1)


@pytest.mark.slow  # processes; test_a_reader_that_leaves is quick
def test_streams_of_a_shell(tmp_path, net, photos):
    """A reader that leaves, as head does, is no error, in the middle of a prediction or before a training; a full disk is one line.

    Nor is a notebook's backend for plots, which a shell inherits from it.
    """
    run = f"{shlex.quote(sys.executable)} -m lenet5"
    script = f"""
cd {shlex.quote(str(PROJECT))}
{run} predict {net} {photos} | head -n 1; echo "${{PIPESTATUS[@]}}"
MPLBACKEND=nosuch {run} train imagefolder:{photos} --epochs 1 --save {tmp_path}/n.npz --plot {tmp_path}/c.svg | true; echo "${{PIPESTATUS[@]}}"
{run} show >/dev/full; echo $?
"""
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=False)
    path, *codes = done.stdout.splitlines()
    assert path.startswith(str(photos))
    assert codes == ["0 0", "0 0", "2"]
    assert done.stderr == "standard output: cannot be written (No space left on device); send it elsewhere\n"
    assert sorted(os.listdir(tmp_path)) == ["c.svg", "n.npz"]
