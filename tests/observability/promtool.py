"""Asks Prometheus' own rule engine (`promtool test rules`) which alerts fire on series of our own metrics."""

import json
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from consumer.adapters.metrics import Metrics

ALERTS = Path(__file__).parents[2] / "observability" / "alerts.yml"
PROMTOOL = shutil.which("promtool")
needs_promtool = pytest.mark.skipif(
    PROMTOOL is None, reason="promtool is not installed (it comes with Prometheus; Debian's package is prometheus)"
)


def series(instance: str, history: Sequence[Metrics], minutes: int) -> list[dict[str, str]]:
    """Return what Prometheus gathers from an instance: a minute each of its metrics, the last ones for the rest."""
    texts = [metrics.text().decode().splitlines() for metrics in history]
    said = [dict(line.rsplit(" ", 1) for line in text if line.startswith("season_")) for text in texts]
    said += [said[-1]] * (minutes + 1 - len(said))
    gathered = []
    for name in {name: None for each in said for name in each}:
        bare, _, labels = name.removesuffix("}").partition("{")
        more = ",".join(filter(None, [labels, f'instance="{instance}"', 'job="season"']))
        gathered.append({"series": f"{bare}{{{more}}}", "values": " ".join(each.get(name, "_") for each in said)})
    return gathered


def check_firing(
    folder: Path,
    instances: Mapping[str, Metrics | Sequence[Metrics]],
    minutes: int,
    expected: Mapping[str, int],
    rules: Path = ALERTS,
) -> None:
    """Assert how many alerts of each name fire after so many minutes.

    Of an instance these are its metrics all the time, or its metrics of each minute, and then the last of them.
    """
    histories = {name: [said] if isinstance(said, Metrics) else said for name, said in instances.items()}
    firing = 'count by (alertname) (ALERTS{alertstate="firing"})'
    samples = [{"labels": f'{{alertname="{name}"}}', "value": count} for name, count in expected.items()]
    test = {
        "interval": "1m",
        "input_series": [one for name, history in histories.items() for one in series(name, history, minutes)],
        "promql_expr_test": [{"expr": firing, "eval_time": f"{minutes}m", "exp_samples": samples}],
    }
    file = folder / "test.yml"  # JSON is YAML, too
    file.write_text(json.dumps({"rule_files": [str(rules)], "evaluation_interval": "1m", "tests": [test]}))
    assert PROMTOOL is not None
    done = subprocess.run([PROMTOOL, "test", "rules", file], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
