"""The contenders' race, on a real broker and a small backlog."""

from dataclasses import replace

import pytest

from benchmarks import latency
from benchmarks.contenders import BARE, NAIVE, SERVICE, Contender
from benchmarks.outputs import Demand, Outputs, WrongOutputsError
from benchmarks.race import race
from benchmarks.scenarios import HARD, SMALL
from kafka_local import Broker


def test_contenders_work_off_a_small_backlog(broker: Broker) -> None:
    """Service, bare loop and naive loop publish what they had to, and each run has its time and its cost."""
    scenario = replace(SMALL, zones=100, repeat_parts=24)
    results = race(broker.bootstrap_servers, scenario, [SERVICE, BARE, NAIVE], 2)
    assert [[run.messages for run in runs] for runs in results] == [[2400, 2400]] * 3
    assert all(run.seconds > 0 and run.cpu_seconds >= 0 for runs in results for run in runs)
    assert sum(run.cpu_seconds for run in results[0] + results[2]) > 0


def test_refused_readings_are_checked_by_their_reasons(broker: Broker) -> None:
    """A hard input with dead letters: the bare loop passes on one message in 24, whatever it holds."""
    [scenario] = [scenario for scenario in HARD if scenario.name.startswith("1 %")]
    results = race(broker.bootstrap_servers, replace(scenario, zones=100, repeat_parts=24), [SERVICE, BARE], 1)
    assert [runs[0].messages for runs in results] == [2424, 2424]


def test_a_contender_that_loses_a_prediction_fails(broker: Broker) -> None:
    """What is published is held to what was expected: here one more than there can be."""

    def one_more(demand: Demand) -> Outputs:
        return Outputs(demand.outputs.predictions + 1)

    careless = replace(SERVICE, expect=one_more)
    with pytest.raises(WrongOutputsError, match="the service has published 200 predictions where 201 were expected"):
        race(broker.bootstrap_servers, replace(SMALL, zones=100, repeat_parts=24), [careless], 1)


def test_a_contender_that_ends_fails(broker: Broker) -> None:
    """Its log is in the sentence."""
    contender = Contender("joker", ("sh", "-c", "echo no today"))
    with pytest.raises(RuntimeError, match=r"the joker never comes(.|\n)*no today"):
        race(broker.bootstrap_servers, replace(SMALL, zones=1), [contender], 1)


def test_latency_is_measured_for_each_window(broker: Broker, monkeypatch: pytest.MonkeyPatch) -> None:
    """One sample for each output that the published readings cause, of the service and of the bare loop alike."""
    monkeypatch.setattr(latency, "SETTLING_S", 0.1)
    runs = latency.measure(broker.bootstrap_servers, latency.Load(480, sweeps=1, linger_ms=0), repeats=1)
    assert [len(samples) for [samples] in runs] == [10, 10]
    assert all(0 < milliseconds < 60_000 for [samples] in runs for milliseconds in samples)
