"""`python -m kafka_local.lock` writes a new jars.lock: which jars make a broker, with their sums (`make lock`)."""

import tempfile
from pathlib import Path

import jgo

from kafka_local.jars import KAFKA_VERSION, LOCK

ENDPOINT = "+".join(
    [
        f"org.apache.kafka:kafka_2.13:{KAFKA_VERSION}",
        f"org.apache.kafka:kafka-tools:{KAFKA_VERSION}",
        # Without a backend the broker's log is empty. The version is that of the slf4j-api that Kafka brings.
        "org.slf4j:slf4j-simple:1.7.36",
    ]
)


def main() -> None:
    """Write the lock file of what the endpoint resolves to in an empty cache."""
    with tempfile.TemporaryDirectory() as cache:
        environment = jgo.build(ENDPOINT, update=True, cache_dir=Path(cache))
        jars = environment.lockfile.dependencies if environment.lockfile else []
    lines = sorted(f"{jar.groupId}:{jar.artifactId}:{jar.version} {jar.sha256}" for jar in jars)
    head = f"# Made by `make lock` from {ENDPOINT}\n"
    LOCK.write_text(head + "\n".join(lines) + "\n", "utf-8")


if __name__ == "__main__":
    main()
