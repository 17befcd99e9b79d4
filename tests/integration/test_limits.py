"""Topics that take small messages alone get what is written to them, however much of it there is at once."""

from pathlib import Path

from confluent_kafka.admin import NewTopic  # type: ignore[attr-defined]

from kafka_local import Broker
from season.calendar import HOUR
from tests.integration.test_service import check, reading
from tests.integration.world import World

_LIMIT = 8 * 1024  # bytes: a prediction or a letter fits, many at once do not
_START = 1_622_498_400  # 2021-06-01 in Rome


def test_no_batch_is_larger_than_its_topic_takes(broker: Broker, tmp_path: Path) -> None:
    """The broker's limit is for a batch as it is sent, and what is sent is not compressed."""
    world = World(broker.bootstrap_servers, partitions=1)
    names = [world.topic(setting) for setting in ("PREDICTIONS_TOPIC", "DEAD_LETTER_TOPIC")]
    small = [NewTopic(name, 1, config={"max.message.bytes": str(_LIMIT)}) for name in names]
    for made in world.admin.create_topics(small).values():
        made.result()
    days = [reading(f"zone-{zone}", _START + hour * HOUR, 9.0 + hour) for hour in range(24) for zone in range(100)]
    world.publish([*days, *[{"key": b"IT", "value": b"no JSON" * 10}] * 500])
    with world.service(tmp_path, COMMIT_INTERVAL="5s") as service:
        world.wait_until_read()
        assert service.stop() == 0
    assert "MSG_SIZE_TOO_LARGE" not in service.log.read_text()
    expected = check(world)
    assert (len(expected.predictions), len(expected.letters)) == (100, 500)
