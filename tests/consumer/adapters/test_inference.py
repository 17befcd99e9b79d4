"""A run in the service's own process comes to an end, and a model that is let go leaves nothing."""

import gc
import threading
import time

import numpy as np
import pytest

from consumer.adapters.inference import EndlessError, Inference
from tests.made_models import endless_at, network

DAY = np.arange(24, dtype=np.float32).reshape(1, 1, 24)


def test_a_run_without_an_end_is_ended() -> None:
    """By another thread, once it has had its time on a processor; the next run is as good as ever."""
    inference = Inference(endless_at(7).SerializeToString())
    with pytest.raises(EndlessError, match="more than 2 s of processor time"):
        inference.logits(DAY)
    assert inference.logits(DAY + 0.5).tolist() == pytest.approx([12.0])


def test_waiting_is_no_running() -> None:
    """Between runs, however long that is, nothing is ended."""
    inference = Inference(network().SerializeToString())
    inference.logits(DAY)
    end = time.process_time() + 3
    while time.process_time() < end:
        pass
    assert inference.logits(DAY).tolist() == pytest.approx([1.5])


def test_a_model_that_is_let_go_takes_its_thread_with_it() -> None:
    """A service that takes up a model each day holds one."""
    before = set(threading.enumerate())
    inferences = [Inference(network().SerializeToString()) for _ in range(5)]
    threads = set(threading.enumerate()) - before
    assert len(threads) == 5
    inferences.clear()
    gc.collect()
    end = time.monotonic() + 60
    while any(thread.is_alive() for thread in threads):
        assert time.monotonic() < end
        time.sleep(0.05)
