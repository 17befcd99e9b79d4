"""What all tests may use: one real Apache Kafka for the whole run, started by the first test that asks for it."""

from collections.abc import Iterator

import pytest
from hypothesis import settings

from kafka_local import Broker

# How long an example takes says more of the machine than of the code.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark each test that uses the broker: `pytest -m "not broker"` is the quick run."""
    for item in items:
        if isinstance(item, pytest.Function) and {"broker", "secured"} & set(item.fixturenames):
            item.add_marker("broker")


@pytest.fixture(scope="session")
def broker() -> Iterator[Broker]:
    """A real broker; every test takes topics and groups of its own. Who kills it needs one of its own."""
    with Broker() as running:
        yield running
