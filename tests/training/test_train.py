"""The loop learns what there is to learn, and the same seed gives the same bits."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch

from season.files import FileOptions
from training import days
from training.figures import log_loss
from training.networks import shape_of
from training.recipes import Configuration
from training.train import learn, logits_of

from .made import ROME, three_years

SHORT = Configuration(epochs=3)


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> tuple[days.Days, days.Days, days.Days]:
    """Three made years, split."""
    path: Path = tmp_path_factory.mktemp("days") / "made.csv"
    return days.split(days.load(three_years(path), FileOptions(zone="X"), ROME).days)


def test_it_learns_a_season_that_shows(parts: tuple[days.Days, days.Days, days.Days]) -> None:
    """Three epochs are enough for seasons that differ plainly; the epoch with the least loss is kept."""
    network, epoch = learn(SHORT, *parts[:2])
    assert 1 <= epoch <= SHORT.epochs
    assert not network.training
    assert np.mean((logits_of(network, parts[2].steps) > 0) == parts[2].winter) > 0.95


def test_the_epoch_with_the_least_loss_is_kept(parts: tuple[days.Days, days.Days, days.Days]) -> None:
    """Chosen on days whose seasons are swapped, what was learned least is best: the first epoch's weights."""
    known, chosen_on, _ = parts
    swapped = dataclasses.replace(chosen_on, winter=~chosen_on.winter)
    longer = Configuration(epochs=10)
    first, epoch = learn(longer, known, swapped)
    last, _ = learn(longer, known, chosen_on)
    assert epoch == 1
    losses = [log_loss(logits_of(network, chosen_on.steps), chosen_on.winter) for network in (first, last)]
    assert losses[0] > 2 * losses[1]


def test_the_seed_decides_every_bit(parts: tuple[days.Days, days.Days, days.Days]) -> None:
    """The same seed gives the same weights; another seed gives others."""
    same, again, other = (
        learn(configuration, *parts[:2])[0].state_dict()
        for configuration in (SHORT, SHORT, Configuration(epochs=3, seed=1))
    )
    assert all(torch.equal(same[name], again[name]) for name in same)
    assert not all(torch.equal(same[name], other[name]) for name in same)


def test_a_days_shape_has_neither_level_nor_scale() -> None:
    """Mean 0 and standard deviation 1 for every day, whatever its unit; zeros for one that is constant."""
    day = torch.linspace(0, 1, 24)[None] ** 2
    for load in (day, 200 * day + 7, -5e4 * day, 1e-20 * day, 1e38 * day):
        shape = shape_of(load)
        assert shape.mean().abs() < 1e-5
        assert abs(float(shape.std(unbiased=False)) - 1) < 1e-4
    assert torch.equal(shape_of(torch.full((1, 24), 0.1)).abs() < 1, torch.ones(1, 24, dtype=torch.bool))
    assert torch.equal(shape_of(torch.zeros(1, 24)), torch.zeros(1, 24))
