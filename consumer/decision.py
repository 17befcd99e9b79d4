"""What a batch of messages, or silence, leads to before the model is asked."""

from collections.abc import Sequence
from dataclasses import dataclass

from consumer.adapters.decode import Rejected
from consumer.core.outcome import Scorings, Windows
from season.client.message import KafkaMessage


@dataclass(frozen=True, eq=False)
class Decision:
    """The windows to score, and what becomes of all other windows and messages.

    `rejected` are messages that become dead letters, by their row; `scorings` and the dead letters `incomplete` and
    `constant` have rows as their causes, -1 where no message caused them. `names` are the zones that are new.
    """

    messages: Sequence[KafkaMessage]
    rejected: list[Rejected]
    scorings: Scorings
    incomplete: Windows
    constant: Windows
    flattened: Windows
    max_filled: int
    names: tuple[str, ...] = ()
    repeats: int = 0
    corrections: int = 0
