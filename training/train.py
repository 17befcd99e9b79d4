"""Learns to tell winter from summer by the shape of a day: network, loss and loop, from top to bottom.

    python -m training train

It learns from the first years of a file of readings, chooses its best epoch on the next year, and is tested
once on the last, which it has never seen (`training.days` cuts the years). Seeded, on the CPU, in one thread:
the same seed on the same machine gives the same bits.
"""

import math

import numpy as np
import torch
from torch import Tensor, nn

from season.steps import F64
from training.days import Days
from training.figures import F32, log_loss
from training.networks import SeasonNetwork, TutorialNetwork
from training.progress import progress
from training.recipes import Configuration


def build(configuration: Configuration) -> nn.Module:
    """The network that a configuration names, its weights random."""
    if configuration.architecture == "tutorial":
        return TutorialNetwork(configuration.dropout)
    return SeasonNetwork(configuration.hidden, configuration.dropout)


def learn(configuration: Configuration, known: Days, chosen_on: Days) -> tuple[nn.Module, int]:
    """The network of the epoch with the least loss on `chosen_on`, in evaluation mode, and that epoch (from 1).

    It learns from the days `known` alone.
    """
    torch.manual_seed(configuration.seed)
    torch.set_num_threads(1)
    network = build(configuration)
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
