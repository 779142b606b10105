"""One training in a process of its own: seed 0 is the training that the main job does, and each seed is another one."""

from __future__ import annotations

import pytest

import lenet5
from benchmarks.arrange import problem
from benchmarks.arrange.problem import LEARNING_RATE
from benchmarks.isolated import train
from lenet5 import training
from tests.support.by_hand import FAST, FRAMEWORK
from tests.support.networks import grey_digits


def test_seed_0_is_the_main_jobs():
    """Same initial weights, same batches: the same loss to the last digit, and as many images right."""
    data = grey_digits()
    found = train.train(FRAMEWORK, FAST, 0, data, epochs=1)

    net = lenet5.implementation(FRAMEWORK)(problem.initial_weights(data), learning_rate=LEARNING_RATE)
    history = training.train(net, data, epochs=1, seed=problem.SEED)
    correct = training.correct(training.predictions(net, data.test.images), data.test.labels)
    assert (found["last_loss_nats"], found["correct"]) == (history.train_loss_nats[-1], correct)
    assert found["test_images"] == len(data.test.labels)


def test_no_shuffle_twice():
    """Trainings of 30 epochs from twenty seeds have six hundred orders of the batches."""
    assert len({train.first_shuffle(seed, 30) + epoch for seed in range(20) for epoch in range(30)}) == 600


def test_a_wrong_training_has_no_number(monkeypatch):
    """A network whose second loss is not the reference's fails the check."""
    monkeypatch.setattr(train, "LEARNING_RATE", 2 * LEARNING_RATE)
    found = problem.reference
    monkeypatch.setattr(
        problem, "reference", lambda weights, **options: found(weights, **{**options, "learning_rate": LEARNING_RATE})
    )
    with pytest.raises(AssertionError, match="Not equal to tolerance"):
        train.train(FRAMEWORK, FAST, 0, grey_digits(), epochs=1)
