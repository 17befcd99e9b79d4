"""A program says to the broker who it is."""

import socket

import pytest

from season.identity import identified
from season.kafka import client_properties
from season.settings import SettingError


def test_the_client_id_is_program_and_instance() -> None:
    """The instance is INSTANCE_ID, by default the host's name; what the user sets stands."""
    host, named = identified({}, "season-producer"), identified({"INSTANCE_ID": "a"}, "season-watch")
    assert client_properties(host)["client.id"] == f"season-producer-{socket.gethostname()}"
    assert client_properties(named)["client.id"] == "season-watch-a"
    assert client_properties(identified({"KAFKA_CLIENT_ID": "mine"}, "season-watch"))["client.id"] == "mine"


def test_an_instance_that_is_no_text_is_refused_by_its_own_name() -> None:
    """Not by the client.id that would be made of it."""
    with pytest.raises(SettingError, match=r"^INSTANCE_ID: its bytes are not UTF-8"):
        identified({"INSTANCE_ID": "\udcff"}, "season-watch")
