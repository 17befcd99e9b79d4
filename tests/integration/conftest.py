"""What several files of integration tests share."""

from collections.abc import Iterator

import pytest

from tests.integration.secured import Secured, secured_broker


@pytest.fixture(scope="session")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secured]:
    """A broker with SCRAM over TLS and Kafka's authorizer; every test is a user of its own with topics of its own."""
    with secured_broker(tmp_path_factory.mktemp("secured")) as running:
        yield running
