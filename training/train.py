"""Learns to tell winter from summer by the shape of a day: network, loss and loop, from top to bottom.

    python -m training train

It learns from the first years of a file of readings, chooses its best epoch on the next year, and is tested
once on the last, which it has never seen (`training.days` cuts the years). Seeded, on the CPU, in one thread:
the same seed on the same machine gives the same bits.
"""

import math

import numpy as np
import pydantic
import torch
from torch import Tensor, nn

from season.steps import F64, STEPS
from training.days import Days
from training.figures import F32, log_loss
from training.progress import progress


class Configuration(pydantic.BaseModel):
    """Everything that decides what is learned, but for the days; it is saved with the model."""

    model_config = pydantic.ConfigDict(frozen=True, extra="forbid")

    # "Next years" are 2018, 2019 and 2020, each after training on those before the last: the mean of 3 seeds.
    seed: pydantic.NonNegativeInt = 0
    hidden: tuple[int, int] = (64, 32)  # 0.972 of the next years' days; (32, 16) 0.969, (128, 64) 0.977
    dropout: float = 0.1  # of each hidden layer; without it 0.970
    jitter: float = 0.1  # noise on each hour, in standard deviations of its day, so that no hour decides alone
    epochs: int = 40  # seconds; 20 give 0.967, 80 give 0.980
    batch_size: int = 64  # 29 steps an epoch
    learning_rate: float = 3e-3  # the peak, after a tenth of the steps; then down to nothing along a cosine
    weight_decay: float = 1e-2  # AdamW's usual; without it the same


class SeasonNetwork(nn.Module):
    """A day's load [batch, 1, 24], in whatever unit, to the logit of winter [batch, 1].

    A multilayer perceptron on the day's shape: its level and its scale are taken off first, inside the graph.
    """

    def __init__(self, configuration: Configuration) -> None:
        super().__init__()
        first, second = configuration.hidden
        self.layers = nn.Sequential(
            nn.Linear(STEPS, first),
            nn.ReLU(),
            nn.Dropout(configuration.dropout),
            nn.Linear(first, second),
            nn.ReLU(),
            nn.Dropout(configuration.dropout),
            nn.Linear(second, 1),
        )

    def forward(self, load: Tensor) -> Tensor:
        """The logits [batch, 1] of days [batch, 1, 24]; the label is winter where they are positive."""
        logits: Tensor = self.layers(shape_of(load.flatten(1)))
        return logits


def shape_of(load: Tensor) -> Tensor:
    """Days [batch, 24] with mean 0 and standard deviation 1; finite for every finite day, a constant one too.

    The largest hour becomes 1 first: then neither a huge load overflows nor a tiny one counts as constant,
    and what is smaller than 32 bits can tell apart (1e-6 of the largest hour) is not blown up to a shape.
    """
    load = load / load.abs().amax(dim=1, keepdim=True).clamp(min=1e-30)
    load = load - load.mean(dim=1, keepdim=True)
    return load / (load * load).mean(dim=1, keepdim=True).sqrt().clamp(min=1e-6)


def learn(configuration: Configuration, known: Days, chosen_on: Days) -> tuple[SeasonNetwork, int]:
    """The network of the epoch with the least loss on `chosen_on`, in evaluation mode, and that epoch (from 1).

    It learns from the days `known` alone.
    """
    torch.manual_seed(configuration.seed)
    torch.set_num_threads(1)
    network = SeasonNetwork(configuration)
    load, winter = tensor(known.steps), torch.from_numpy(known.winter).float()[:, None]
    per_epoch = math.ceil(len(load) / configuration.batch_size)
    optimizer = torch.optim.AdamW(
        network.parameters(), configuration.learning_rate, weight_decay=configuration.weight_decay
    )
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, configuration.learning_rate, total_steps=configuration.epochs * per_epoch, pct_start=0.1
    )
    best, best_epoch, best_weights = math.inf, 0, network.state_dict()
    for epoch in progress(range(1, configuration.epochs + 1), "training, epochs"):
        network.train()
        for rows in torch.split(torch.randperm(len(load)), configuration.batch_size):
            days = load[rows]
            days = days + configuration.jitter * days.std(dim=2, keepdim=True) * torch.randn_like(days)
            loss = nn.functional.binary_cross_entropy_with_logits(network(days), winter[rows])
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            schedule.step()
        chosen = log_loss(logits_of(network, chosen_on.steps), chosen_on.winter)
        if chosen < best:
            best, best_epoch = chosen, epoch
            best_weights = {name: weights.clone() for name, weights in network.state_dict().items()}
    network.load_state_dict(best_weights)
    return network.eval(), best_epoch


def tensor(steps: F64) -> Tensor:
    """Days [n, 24] as the network takes them: float32 [n, 1, 24]."""
    return torch.from_numpy(steps.astype(np.float32))[:, None, :]


def logits_of(network: nn.Module, steps: F64) -> F32:
    """The logits [n] of days [n, 24], without noise; the network is left in evaluation mode."""
    network.eval()
    with torch.inference_mode():
        logits: F32 = network(tensor(steps))[:, 0].numpy()
    return logits
