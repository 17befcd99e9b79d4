"""`python -m benchmarks [NAME …]`: each beside its baseline, in the same run; all by default."""

import argparse

from benchmarks import commit, core, decode, model, restore, service
from benchmarks.side import say

BENCHMARKS = {
    "decode": decode.main,
    "core": core.main,
    "model": model.main,
    "commit": commit.main,
    "restore": restore.main,
    "service": service.main,
}


def main() -> None:
    """Runs those that are named."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Measures the service's parts and the whole of it, each beside its baseline in the same run. "
        "Figures are of this machine at this moment; nothing is asserted of them. Two to three minutes in all.",
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"{', '.join(BENCHMARKS)} (all)")
    names = parser.parse_args().names or list(BENCHMARKS)
    if unknown := [name for name in names if name not in BENCHMARKS]:
        parser.error(f"no benchmark {unknown[0]!r}; there are {', '.join(BENCHMARKS)}")
    say("min or max, and median, of runs in turn; times: how many times better than the baseline, at the median\n")
    for name in names:
        BENCHMARKS[name]()


if __name__ == "__main__":
    main()
