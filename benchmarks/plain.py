"""The service as a loop that anyone would write first.

`json.loads`, a dict of windows, ONNX Runtime for each window, one transaction for each batch, and the Kafka client
set up as well as the service's. What it does not do: late, repeated or corrected readings, missing hours, clock
changes, dead letters, keys, and open windows that survive its end.
"""

import json
import math
import os
from datetime import date, datetime
from zoneinfo import ZoneInfo

import numpy as np
import onnxruntime
from confluent_kafka import TopicPartition

from benchmarks.bare import clients

BATCH = 5000
MODEL = "models/season_classifier.onnx"

Windows = dict[tuple[str, date], dict[int, float]]


def main() -> None:
    """Read for ever; the settings are those of the service, by the same names."""
    consumer, producer = clients()
    producer.init_transactions()
    consumer.subscribe([os.environ["READINGS_TOPIC"]])
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(MODEL, options)
    time_zone = ZoneInfo(os.environ["WINDOW_TIME_ZONE"])
    windows: Windows = {}
    while True:
        first = consumer.poll(0.1)
        if first is None:
            continue
        producer.begin_transaction()
        next_offsets: dict[int, int] = {}
        for message in [first, *consumer.consume(BATCH, 0)]:
            value, partition, offset = message.value(), message.partition(), message.offset()
            assert value is not None
            assert partition is not None
            assert offset is not None
            prediction = read(windows, value, session, time_zone)
            next_offsets[partition] = offset + 1
            if prediction is not None:
                producer.produce(os.environ["PREDICTIONS_TOPIC"], json.dumps(prediction).encode(), prediction["zone"])
        offsets = [TopicPartition(os.environ["READINGS_TOPIC"], p, o) for p, o in next_offsets.items()]
        producer.send_offsets_to_transaction(offsets, consumer.consumer_group_metadata())
        producer.commit_transaction()


def read(
    windows: Windows, value: bytes, session: onnxruntime.InferenceSession, time_zone: ZoneInfo
) -> "dict[str, str] | None":
    """Read a message; return a prediction where it completes its day."""
    reading = json.loads(value)
    at = datetime.fromisoformat(reading["timestamp"]).astimezone(time_zone)
    key = reading["zone"], at.date()
    window = windows.setdefault(key, {})
    window[at.hour] = reading["demand_mw"]
    if len(window) < 24:
        return None
    del windows[key]
    steps = [window[hour] for hour in range(24)]
    inputs = np.array(steps, np.float32).reshape(1, 1, 24)
    logit = float(session.run(None, {session.get_inputs()[0].name: inputs})[0][0, 0])
    winter = 1 / (1 + math.exp(-logit))
    return {
        "zone": reading["zone"],
        "window_start": f"{key[1]}T00:00:00",
        "label": "winter" if winter >= 0.5 else "summer",
        "winter_probability": winter,
        "logit": logit,
        "steps": steps,
    }


if __name__ == "__main__":
    main()
