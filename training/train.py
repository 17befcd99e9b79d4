"""Learns to distinguish winter from summer by the shape of a day: network, loss and loop, from top to bottom.

    python -m training train

It learns from all years of a file of readings but the last, and is tested once on that (`training.days` cuts
the years), or from the days of the UCR archive. Seeded, on the CPU, in one thread: the same seed on the same
machine gives the same bits. `training.recipes` has all that decides the training.
"""

import functools
import itertools
import math

import numpy as np
import torch
from torch import Tensor, nn

from season.steps import F64, STEPS, fill
from training.days import Days
from training.figures import F32
from training.networks import ConvolutionNetwork, SeasonNetwork, TutorialNetwork, shape_of, side_by_side
from training.progress import progress
from training.recipes import Configuration


def build(configuration: Configuration) -> nn.Module:
    """Return the network of a configuration, its weights random."""
    if configuration.architecture == "tutorial":
        return TutorialNetwork(configuration.dropout)
    if configuration.architecture == "convolution":
        return side_by_side(convolutions(configuration))
    return SeasonNetwork(configuration.hidden, configuration.dropout)


def convolutions(configuration: Configuration) -> list[ConvolutionNetwork]:
    """Return the networks that are trained one by one, and joined."""
    return [ConvolutionNetwork(configuration.kernel, configuration.dropout) for _ in range(configuration.members)]


def learn(configuration: Configuration, known: Days, what: str = "training") -> nn.Module:
    """Return the network trained on the days `known`, in evaluation mode; `what` names it in the progress."""
    torch.set_num_threads(1)
    torch.manual_seed(configuration.seed)
    if configuration.architecture != "convolution":
        return fit(build(configuration), configuration, known, what).eval()
    networks = convolutions(configuration)
    for number, network in enumerate(networks, 1):
        fit(network, configuration, known, f"{what}, network {number} of {len(networks)}")
    return side_by_side(networks).eval()


def fit(network: nn.Module, configuration: Configuration, known: Days, what: str) -> nn.Module:
    """Train the network on the days; return it."""
    shapes, winter = shape_of(tensor(known.steps)[:, 0])[:, None], torch.from_numpy(known.winter).float()[:, None]
    steps = configuration.epochs * math.ceil(len(shapes) / configuration.batch_size)
    optimizer = torch.optim.AdamW(
        network.parameters(), configuration.learning_rate, weight_decay=configuration.weight_decay
    )
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, configuration.learning_rate, total_steps=steps, pct_start=0.1
    )
    network.train()
    for _ in progress(range(configuration.epochs), f"{what}, epochs"):
        for rows in torch.split(torch.randperm(len(shapes)), configuration.batch_size):
            days, wanted = augmented(configuration, shapes[rows], winter[rows])
            loss = nn.functional.binary_cross_entropy_with_logits(network(days), wanted)
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            schedule.step()
    return tempered(network, configuration.temperature)


def augmented(configuration: Configuration, days: Tensor, winter: Tensor) -> tuple[Tensor, Tensor]:
    """Return augmented days [n, 1, 24] of standard deviation 1, and their targets [n, 1]."""
    count = len(days)
    if configuration.mixup:
        share = torch.distributions.Beta(configuration.mixup, configuration.mixup).sample((count, 1))
        other = torch.randperm(count)
        days = share[:, None] * days + (1 - share[:, None]) * days[other]
        winter = share * winter + (1 - share) * winter[other]
    if configuration.sun:
        middle, width = 13 + torch.randn(count, 1, 1), 2 + 1.5 * torch.rand(count, 1, 1)
        bell = torch.exp(-0.5 * ((torch.arange(STEPS) + 0.5 - middle) / width) ** 2)
        days = days + configuration.sun * torch.randn(count, 1, 1) * bell
    days = days + configuration.jitter * torch.randn_like(days)
    if configuration.filled:
        which = torch.randint(1, len(fillings()), (count,)) * (torch.rand(count) < configuration.filled)
        days = torch.bmm(days, fillings()[which])
    return days, winter


@functools.cache
def fillings() -> Tensor:
    """Return matrices [301, 24, 24]: a day [1, 24] times one of them has no, one or two hours filled.

    As the service fills them: that is linear, so what becomes of each hour's unit day makes a matrix.
    """
    gaps = [(), *((hour,) for hour in range(STEPS)), *itertools.combinations(range(STEPS), 2)]
    days = np.tile(np.eye(STEPS), (len(gaps), 1, 1))
    for unit_days, gap in zip(days, gaps, strict=True):
        unit_days[:, list(gap)] = np.nan
        for day in unit_days if gap else ():
            day[:] = fill(day, np.arange(STEPS))
    return torch.from_numpy(days).float()


def tempered(network: nn.Module, temperature: float) -> nn.Module:
    """Divide a network's logits by a temperature, in its last layer, where it costs nothing; return it."""
    last = [layer for layer in network.modules() if isinstance(layer, nn.Linear)][-1]
    with torch.no_grad():
        for parameter in last.parameters():
            parameter.div_(temperature)
    return network


def tensor(steps: F64) -> Tensor:
    """Return days [n, 24] in the network's form: float32 [n, 1, 24]."""
    return torch.from_numpy(steps.astype(np.float32))[:, None, :]


def logits_of(network: nn.Module, steps: F64) -> F32:
    """Return the logits [n] of days [n, 24], without noise; the network is left in evaluation mode."""
    network.eval()
    with torch.inference_mode():
        logits: F32 = network(tensor(steps))[:, 0].numpy()
    return logits
