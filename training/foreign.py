"""The input and output of another code base's ONNX file, as the user describes them: nothing is guessed."""

from dataclasses import dataclass
from typing import Literal, get_args

Gives = Literal["logit", "probability", "logits", "probabilities"]
GIVES: tuple[str, ...] = get_args(Gives)


@dataclass(frozen=True)
class Foreign:
    """What the file expects and gives.

    `gives` says what its output is; of two columns `winter` is winter's. `ddof` is set where it wants days of mean 0
    and standard deviation 1: 0 for the population's, 1 for the sample's. `output` is needed where it has several.
    """

    gives: Gives
    winter: int = 0
    ddof: int | None = None
    output: str | None = None

    @property
    def columns(self) -> int:
        """Return how many numbers it gives for each day."""
        return 2 if self.gives in {"logits", "probabilities"} else 1
