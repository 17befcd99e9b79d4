"""The service and the bare loop beside Kafka Streams and Flink, on the same backlog, in the same run."""

import sys
from dataclasses import replace

from benchmarks.contenders import BARE, ROOT, SERVICE, Contender, predictions_alone
from benchmarks.peers.build import PEERS, BuildError, build
from benchmarks.scenarios import BACKLOG
from benchmarks.tables import say
from benchmarks.throughput import compare

_MODEL = {"MODEL_PATH": str(ROOT / "models" / "season_classifier.onnx")}

# 100 ms checkpoints, one chained task without a shuffle, a decoder of its own, and windows scored in batches.
# It commits the group's last offsets up to 10 s after the transaction with the predictions that they belong to.
FLINK = Contender(
    "Flink",
    ("bench.FlinkApp", "1", "100", "batch"),
    _MODEL | {"DECODE": "stream", "KEYED": "reinterpret"},
    predictions_alone,
    offsets_come_late=True,
)
# RocksDB, two threads, windows scored in batches.
STREAMS = Contender("Kafka Streams", ("bench.App", "rocksdb", "2", "true"), _MODEL, predictions_alone)

WARM_UP_PARTS = 240  # 480,000 readings, so that Java has compiled what is hot


def main() -> None:
    """Print the tables; status 2 where the peers cannot be built."""
    try:
        contenders = [SERVICE, BARE, _runnable(FLINK, "flink"), _runnable(STREAMS, "streams")]
    except BuildError as error:
        say(str(error))
        sys.exit(2)
    compare([replace(BACKLOG, warm_up_parts=WARM_UP_PARTS)], contenders)


def _runnable(contender: Contender, name: str) -> Contender:
    """Return a peer with the command that starts it, once it is built."""
    options = ["-cp", build(name), f"-Dlog4j.configurationFile={PEERS / 'log4j2.xml'}"]
    return replace(contender, command=("java", *options, *contender.command))
