"""The loop learns what there is to learn, several networks one by one; the same seed gives the same bits."""

import itertools
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from season.files import FileOptions
from season.steps import STEPS, fill
from training import days
from training.networks import ConvolutionNetwork, shape_of, side_by_side
from training.recipes import Architecture, Configuration
from training.train import augmented, build, fillings, learn, logits_of, tempered

from .made import ROME, three_years

SHORT = Configuration(epochs=3)


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> tuple[days.Days, days.Days]:
    """Three made years, split."""
    path: Path = tmp_path_factory.mktemp("days") / "made.csv"
    return days.split(days.load(three_years(path), FileOptions(zone="X"), ROME).days)


def right(network: nn.Module, some: days.Days) -> float:
    """The share of days that get their season."""
    return float(np.mean((logits_of(network, some.steps) > 0) == some.winter))


RECIPES = {
    "plain": SHORT,
    "augmented": SHORT.model_copy(update={"mixup": 0.4, "filled": 0.5, "sun": 0.1, "temperature": 0.7}),
    "side by side": SHORT.model_copy(update={"architecture": "convolution", "members": 2}),
}


@pytest.mark.parametrize("configuration", RECIPES.values(), ids=RECIPES)
def test_it_learns_a_season_that_shows(parts: tuple[days.Days, days.Days], configuration: Configuration) -> None:
    """Three epochs are enough for seasons that differ plainly, whatever is done to the days."""
    network = learn(configuration, parts[0])
    assert not network.training
    assert right(network, parts[1]) > 0.95


@pytest.mark.parametrize("kernel", [1, 5, 9, 23])
def test_side_by_side_they_give_the_mean_of_their_logits(kernel: int) -> None:
    """Convolutions written as one product say what they said together, whatever their width."""
    networks = [ConvolutionNetwork(kernel, 0.3).eval() for _ in range(3)]
    steps = np.random.default_rng(0).normal(30000, 5000, (100, STEPS))
    wanted = np.mean([logits_of(network, steps) for network in networks], axis=0)
    assert np.allclose(logits_of(side_by_side(networks), steps), wanted, atol=1e-5)


def test_networks_side_by_side_differ(parts: tuple[days.Days, days.Days]) -> None:
    """Each has weights, days and noise of its own: of two the filters are not the same."""
    network = learn(RECIPES["side by side"], parts[0])
    first, second = network.get_parameter("layers.0.weight").chunk(2)
    assert (first - second).abs().max() > 0.01


def test_the_seed_decides_every_bit(parts: tuple[days.Days, days.Days]) -> None:
    """The same seed gives the same weights, of several networks as well; another seed gives others."""
    several = RECIPES["side by side"]
    same, again, other = (
        learn(configuration, parts[0]).state_dict()
        for configuration in (several, several, several.model_copy(update={"seed": 1}))
    )
    assert all(torch.equal(same[name], again[name]) for name in same)
    assert not all(torch.equal(same[name], other[name]) for name in same)


def test_hours_are_filled_as_the_service_fills_them() -> None:
    """No, one or two hours of a day; at an edge the nearest, else a line between those beside the gap."""
    day = np.random.default_rng(0).normal(size=STEPS)
    found = torch.einsum("h,nhk->nk", torch.from_numpy(day).float(), fillings()).numpy()
    assert len(found) == 1 + 24 + 276
    assert np.allclose(found[0], day, atol=1e-6)
    gaps = [(), *((hour,) for hour in range(STEPS)), *itertools.combinations(range(STEPS), 2)]
    for filled, gap in zip(found, gaps, strict=True):
        wanted = day.copy()
        wanted[list(gap)] = np.nan
        assert np.allclose(filled, fill(wanted, np.arange(STEPS)) if gap else day, atol=1e-5)


def test_a_share_of_the_days_is_changed() -> None:
    """With nothing but filled hours a day keeps at least 22 of its hours, and most days all of them."""
    torch.manual_seed(0)
    days = torch.randn(2000, 1, STEPS)
    found, _ = augmented(Configuration(jitter=0, filled=0.3), days, torch.ones(2000, 1))
    changed = ((found - days).abs() > 1e-4).sum(dim=(1, 2))
    assert changed.max() <= 2
    assert 0.65 < (changed == 0).float().mean() < 0.75


def test_mixed_days_have_mixed_seasons() -> None:
    """A day made of two is worth as much of each as it has of it."""
    torch.manual_seed(0)
    winter = torch.tensor([[1.0], [0.0]] * 50)
    days, wanted = augmented(Configuration(jitter=0, mixup=0.5), winter[:, :, None].expand(-1, 1, STEPS), winter)
    assert torch.allclose(days.mean(dim=2), wanted, atol=1e-6)
    assert 0 < float(((wanted > 0.01) & (wanted < 0.99)).float().mean()) < 1


@pytest.mark.parametrize("architecture", ["mlp", "convolution", "tutorial"])
def test_a_temperature_divides_every_logit(architecture: Architecture) -> None:
    """The labels stay."""
    network = build(Configuration(architecture=architecture))
    steps = np.random.default_rng(0).normal(30000, 5000, (10, STEPS))
    before = logits_of(network, steps)
    assert np.allclose(logits_of(tempered(network, 0.5), steps), before / 0.5, atol=1e-5)


def test_a_days_shape_has_neither_level_nor_scale() -> None:
    """Mean 0 and standard deviation 1 for every day, whatever its unit; zeros for one that is constant."""
    day = torch.linspace(0, 1, 24)[None] ** 2
    for load in (day, 200 * day + 7, -5e4 * day, 1e-20 * day, 1e38 * day):
        shape = shape_of(load)
        assert shape.mean().abs() < 1e-5
        assert abs(float(shape.std(unbiased=False)) - 1) < 1e-4
    assert torch.equal(shape_of(torch.full((1, 24), 0.1)).abs() < 1, torch.ones(1, 24, dtype=torch.bool))
    assert torch.equal(shape_of(torch.zeros(1, 24)), torch.zeros(1, 24))
