"""`python -m benchmarks [NAME …]`: each beside its limit or its baseline in the same run. By default all of them."""

import argparse
import signal
import sys
from importlib import import_module

from benchmarks.tables import report, say

# Imported when it runs: what one of them needs (PyTorch, say) takes neither time nor memory in the others.
BENCHMARKS = {
    "throughput": "throughput.backlog",
    "hard": "throughput.hard",
    "latency": "latency.main",
    "start": "start.main",
    "restore": "restore.main",
    "stages": "stages.main",
    "decode": "decode.main",
    "core": "core.main",
    "model": "model.main",
    "commit": "commit.main",
}
BY_NAME_ALONE = {"naive": "throughput.naive", "peers": "peers.compare.main"}


def main() -> None:
    """Run those that are named."""
    known = BENCHMARKS | BY_NAME_ALONE
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Measures the whole service beside its limit, and its parts beside their baselines, in the same "
        "run. Figures are of this machine at this moment; nothing is asserted of them but that each contender has "
        "published what it had to.",
    )
    names = ", ".join(BENCHMARKS)
    by_name = ", ".join(BY_NAME_ALONE)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"{names} (all of these by default); {by_name}")
    chosen = parser.parse_args().names or list(BENCHMARKS)
    if unknown := [name for name in chosen if name not in known]:
        parser.error(f"no benchmark {unknown[0]!r}; there are {', '.join(known)}")
    # As Ctrl-C: contenders that stand still would never end by themselves.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    say("minimum / median / maximum of the runs; the last columns: ours / other, pair by pair\n")
    for name in chosen:
        report(f"{name} …")
        module, function = known[name].rsplit(".", 1)
        getattr(import_module(f"benchmarks.{module}"), function)()


if __name__ == "__main__":
    main()
