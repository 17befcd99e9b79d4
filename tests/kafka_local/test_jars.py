"""The jars: the lock is whole, a cache is filled at once or not at all, a wrong sum is refused."""

import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from kafka_local import jars
from kafka_local.jars import KAFKA_VERSION, Jar, JarError, class_path, locked


def test_the_lock_has_a_sum_for_each_jar_of_the_pinned_version() -> None:
    """`make lock` was run after the version was changed."""
    of_kafka = {jar.artifact: jar.version for jar in locked() if jar.group == "org.apache.kafka"}
    assert set(of_kafka.values()) == {KAFKA_VERSION}
    assert {"kafka_2.13", "kafka-tools", "kafka-clients"} <= of_kafka.keys()
    assert all(re.fullmatch(r"[0-9a-f]{64}", jar.sha256) for jar in locked())


def test_a_filled_cache_is_taken_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """A second start downloads nothing."""
    folder = class_path()
    monkeypatch.setattr(jars, "_fill", None)
    assert class_path() == folder
    assert {path.name for path in folder.iterdir()} == {jar.filename for jar in locked()}


def test_two_at_once_fill_the_cache_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second waits for the first, and finds the folder whole."""
    one = next(jar for jar in locked() if jar.artifact == "slf4j-simple")
    monkeypatch.setattr(jars, "locked", lambda _: [one])
    said: list[str] = []
    with ThreadPoolExecutor(2) as pool:
        folders = list(pool.map(lambda _: class_path(tmp_path, said.append), range(2)))
    assert folders[0] == folders[1]
    assert [path.name for path in folders[0].iterdir()] == [one.filename]
    assert len(said) == 1


def test_a_jar_with_another_sum_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing stays in the cache that is not what the lock says."""
    one = next(jar for jar in locked() if jar.artifact == "slf4j-simple")
    monkeypatch.setattr(jars, "locked", lambda _: [replace(one, sha256="0" * 64)])
    with pytest.raises(JarError, match=r"slf4j-simple-1\.7\.36\.jar .* its SHA-256 is [0-9a-f]{64}, but jars\.lock"):
        class_path(tmp_path)
    assert not list(tmp_path.glob("kafka-*"))


def test_what_cannot_be_downloaded_is_told_in_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Artifact and version are named."""
    monkeypatch.setattr(jars, "locked", lambda _: [Jar("org.slf4j", "slf4j-simple", "0.0.0", "0" * 64)])
    with pytest.raises(JarError, match=r"^slf4j-simple-0\.0\.0\.jar of Apache Kafka .* cannot be downloaded: "):
        class_path(tmp_path)
