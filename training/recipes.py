"""What decides how a model is learned, each value with its reason; torch is not needed to ask."""

from typing import Literal

import pydantic

Architecture = Literal["mlp", "tutorial"]  # of `training.networks`


class Configuration(pydantic.BaseModel):
    """Everything that decides what is learned, but for the days; it is saved with the model."""

    model_config = pydantic.ConfigDict(frozen=True, extra="forbid")

    # "Next years" are 2018, 2019 and 2020, each after training on those before the last: the mean of 3 seeds.
    seed: pydantic.NonNegativeInt = 0
    architecture: Architecture = "mlp"
    hidden: tuple[int, int] = (64, 32)  # 0.972 of the next years' days; (32, 16) 0.969, (128, 64) 0.977
    dropout: float = 0.1  # of each hidden layer; without it 0.970
    jitter: float = 0.1  # noise on each hour, in standard deviations of its day, so that no hour decides alone
    epochs: int = 40  # seconds; 20 give 0.967, 80 give 0.980
    batch_size: int = 64  # 29 steps an epoch
    learning_rate: float = 3e-3  # the peak, after a tenth of the steps; then down to nothing along a cosine
    weight_decay: float = 1e-2  # AdamW's usual; without it the same
