"""`python -m tests.fuzz`: a coverage-guided fuzzer (atheris) on our own code, target after target; see `make fuzz`.

The naive reader of JSON is instrumented too: it leads the fuzzer through the grammar, which the fast road, being C,
could not. What it finds is left in `.fuzz/`, and the status is 1.
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

ALL = ["decode", "json", "stamps", "changelog", "stream"]
FOUND = Path(".fuzz")
MEMORY = 2048  # MiB: an input that makes the process larger is a finding (the instruments take 2 KB an input)
SLOW = 20  # seconds: so is one that takes longer


def main() -> int:
    """Runs each target in a process of its own, since the fuzzer ends its process."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.fuzz", description="Fuzz our own code, guided by coverage."
    )
    parser.add_argument("targets", nargs="*", help=f"all by default: {', '.join(ALL)}")
    parser.add_argument("--seconds", type=int, default=150, help="for each target (150)")
    parser.add_argument("--in-process", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.in_process:
        _fuzz(options.targets[0], options.seconds)
    command = [sys.executable, "-m", "tests.fuzz", "--in-process", "--seconds", str(options.seconds)]
    statuses = []
    for target in options.targets or ALL:
        sys.stdout.write(f"-- {target}\n")
        sys.stdout.flush()
        statuses.append(subprocess.run([*command, target], check=False).returncode)
    return int(any(statuses))


def _fuzz(name: str, seconds: int) -> None:
    import atheris  # noqa: PLC0415  (needed here alone, and before what it is to instrument)

    with atheris.instrument_imports(include=["season", "consumer", "tests.naive_json"]):
        from tests.fuzz import targets  # noqa: PLC0415

    test = targets.TARGETS[name]
    FOUND.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        corpus = Path(folder) / "corpus"
        corpus.mkdir()
        for number, seed in enumerate(targets.seeds(name)):
            (corpus / f"{number:04}").write_bytes(seed)
        words = Path(folder) / "words"
        words.write_text("".join(f'"{_escaped(word)}"\n' for word in targets.WORDS))
        limits = [f"-max_total_time={seconds}", f"-rss_limit_mb={MEMORY}", f"-timeout={SLOW}", "-max_len=2048"]
        prefix = f"-artifact_prefix={FOUND}/{name}-"
        atheris.Setup([name, *limits, prefix, "-print_final_stats=1", f"-dict={words}", str(corpus)], test)
        atheris.Fuzz()


def _escaped(word: bytes) -> str:
    return "".join(f"\\x{byte:02x}" for byte in word)


if __name__ == "__main__":
    sys.exit(main())
