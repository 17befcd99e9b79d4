"""The networks: each takes a day's load [batch, 1, 24], in whatever unit, to the logit of winter [batch, 1]."""

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from season.steps import STEPS


class SeasonNetwork(nn.Module):
    """A multilayer perceptron on the day's shape: the graph first removes level and scale."""

    def __init__(self, hidden: Sequence[int], dropout: float) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for before, size in pairwise((STEPS, *hidden)):
            layers += [nn.Linear(before, size), nn.ReLU(), nn.Dropout(dropout)]
        self.layers = nn.Sequential(*layers, nn.Linear((STEPS, *hidden)[-1], 1))

    def forward(self, load: Tensor) -> Tensor:
        """Return the logits [batch, 1] of days [batch, 1, 24]; the label is winter where they are positive."""
        logits: Tensor = self.layers(shape_of(load.flatten(1)))
        return logits


class ConvolutionNetwork(nn.Module):
    """Features of `kernel` hours each, at every hour of the day: nothing is pooled over time."""

    FILTERS = 8

    def __init__(self, kernel: int, dropout: float) -> None:
        super().__init__()
        self.filters = nn.Conv1d(1, self.FILTERS, kernel, padding="same")
        self.dropout = nn.Dropout(dropout)
        self.last = nn.Linear(self.FILTERS * STEPS, 1)

    def forward(self, load: Tensor) -> Tensor:
        """Return the logits [batch, 1] of days [batch, 1, 24]."""
        features = self.filters(shape_of(load.flatten(1))[:, None, :]).relu().flatten(1)
        logits: Tensor = self.last(self.dropout(features))
        return logits


def side_by_side(networks: Sequence[ConvolutionNetwork]) -> SeasonNetwork:
    """Return a network whose logits are the mean of theirs; each filter at each hour is a neuron of its hidden layer.

    So a convolution is a product: ONNX Runtime takes 0.9 microseconds a window of five instead of 1.6, 512 at a time.
    """
    joined = SeasonNetwork((len(networks) * ConvolutionNetwork.FILTERS * STEPS,), 0.0)
    hours = torch.eye(STEPS)[:, None, :]
    alone = torch.cat([network.filters(0 * hours[:1]).flatten() for network in networks])
    found = torch.cat([network.filters(hours).flatten(1).T for network in networks])
    weights = {
        "layers.0.bias": alone,
        "layers.0.weight": found - alone[:, None],
        "layers.3.weight": torch.cat([network.last.weight for network in networks], dim=1) / len(networks),
        "layers.3.bias": torch.stack([network.last.bias for network in networks]).mean(dim=0),
    }
    joined.load_state_dict(weights)
    return joined


class TutorialNetwork(nn.Module):
    """The network of the tutorial that this project grew from, its weights under the names that it gave them.

    Source: "Transform a PyTorch model to ONNX", github.com/lschmiddey/pytorch_to_onnx. It knows two classes, the
    archive's 1 (winter) and 2 (summer), and was given days of mean 0 and sample standard deviation 1 (ddof 1).
    """

    def __init__(self, dropout: float) -> None:
        super().__init__()
        self.raw = nn.Sequential(
            # 23 of 24 hours wide: it has two positions, and the larger of their values counts.
            _Layers(nn.Conv1d(1, 128, 23), nn.ReLU(), nn.Dropout(dropout)),
            nn.MaxPool1d(2),
            nn.Flatten(),
            nn.Dropout(dropout),
            nn.Linear(128, 64),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(64, 64),
            nn.ReLU(),
        )
        self.out = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 2))

    def forward(self, load: Tensor) -> Tensor:
        """Return the logits [batch, 1] of days [batch, 1, 24]: of two classes, the difference of their outputs."""
        sample = ((STEPS - 1) / STEPS) ** 0.5
        classes = self.out(self.raw(sample * shape_of(load.flatten(1))[:, None, :]))
        logits: Tensor = classes[:, :1] - classes[:, 1:]
        return logits


class _Layers(nn.Module):
    """Layers in a row under the name `layers`, as the tutorial's checkpoints have them."""

    def __init__(self, *layers: nn.Module) -> None:
        super().__init__()
        self.layers = nn.Sequential(*layers)

    def forward(self, days: Tensor) -> Tensor:
        features: Tensor = self.layers(days)
        return features


def shape_of(load: Tensor) -> Tensor:
    """Return days [batch, 24] with mean 0 and standard deviation 1, finite also for a constant day.

    The largest hour becomes 1 first: then neither a huge load overflows nor a tiny one counts as constant,
    and what is smaller than 32 bits can tell apart (1e-6 of the largest hour) is not blown up to a shape.
    """
    load = load / load.abs().amax(dim=1, keepdim=True).clamp(min=1e-30)
    load = load - load.mean(dim=1, keepdim=True)
    return load / (load * load).mean(dim=1, keepdim=True).sqrt().clamp(min=1e-6)
