"""Each part of the model contract that is broken gets a sentence that names it; what is whole comes back whole."""

import json
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from season.contract import Contract, ContractError

WHOLE = {
    "season.name": "italy-load",
    "season.labels": '["winter", "summer"]',
    "season.threshold": "0.45",
    "season.time_zone": "Europe/Rome",
    "season.day_start": "06:00",
    "season.training_data": "italy.csv",
    "season.training_data_sha256": "0" * 64,
    "season.metrics": '{"test": {"accuracy": 0.98}}',
}


def test_every_field_is_read() -> None:
    """The eight names of the contract become the eight fields; other metadata is nobody's business here."""
    contract = Contract.from_metadata(WHOLE | {"training.command": "x"}, "file")
    assert contract == Contract(
        name="italy-load",
        labels=("winter", "summer"),
        threshold=0.45,
        time_zone="Europe/Rome",
        day_start="06:00",
        training_data="italy.csv",
        training_data_sha256="0" * 64,
        metrics={"test": {"accuracy": 0.98}},
    )


def test_what_is_written_is_read() -> None:
    """`from_metadata` undoes `metadata`, and the labels stand in the file exactly as the contract says."""
    contract = Contract.from_metadata(WHOLE, "file")
    assert contract.metadata() == WHOLE
    few = Contract(name="x", time_zone="UTC")
    assert Contract.from_metadata(few.metadata(), "file") == few


@settings(max_examples=25)  # each makes calendars, which ask their zone about every day
@given(
    st.text(st.characters(exclude_categories=("C", "Z")), min_size=1, max_size=200),
    st.floats(0, 1),
    st.dictionaries(st.text(), st.none() | st.booleans() | st.integers() | st.floats(-1, 1) | st.text()),
)
def test_whatever_is_written_is_read(name: str, threshold: float, metrics: dict[str, object]) -> None:
    """For every name, threshold and JSON object: not a bit is lost."""
    contract = Contract.model_validate({"name": name, "threshold": threshold, "time_zone": "UTC", "metrics": metrics})
    assert Contract.from_metadata(contract.metadata(), "file") == contract


def test_the_defaults_stand_where_neither_file_nor_setting_says() -> None:
    """The file's name, both labels, 0.5 and midnight; an empty text says nothing."""
    for metadata in ({"season.time_zone": "UTC"}, dict.fromkeys(WHOLE, "") | {"season.time_zone": "UTC"}):
        contract = Contract.from_metadata(metadata, "my_model")
        assert contract == Contract(name="my_model", time_zone="UTC")
        assert (contract.labels, contract.threshold, contract.day_start) == (("winter", "summer"), 0.5, "00:00")


def test_a_setting_overrides_the_file() -> None:
    """Threshold, time zone and day start of a setting stand before the file's, a broken one of the file too."""
    contract = Contract.from_metadata(
        WHOLE | {"season.threshold": "many"},
        "file",
        {"threshold": "1", "time_zone": "Asia/Kolkata", "day_start": "23:00"},
    )
    assert (contract.threshold, contract.time_zone, contract.day_start) == (1, "Asia/Kolkata", "23:00")
    assert Contract.from_metadata({}, "file", {"time_zone": "UTC"}).time_zone == "UTC"


BROKEN = [
    ("season.labels", '["summer", "winter"]', "exactly"),
    ("season.labels", '["winter"]', "exactly"),
    ("season.labels", "winter,summer", "not JSON"),
    ("season.labels", '{"winter": 1, "summer": 0}', '["winter", "summer"]'),
    ("season.labels", '[["winter"], {}]', "exactly"),
    ("season.threshold", "1.01", "between 0 and 1"),
    ("season.threshold", "-0.1", "between 0 and 1"),
    ("season.threshold", "nan", "between 0 and 1"),
    ("season.threshold", "half", "between 0 and 1"),
    ("season.time_zone", "Europe/Roma", "not in the tz database"),
    ("season.time_zone", "../etc/passwd", "not in the tz database"),
    ("season.day_start", "6:00", "full hour"),
    ("season.day_start", "06:30", "full hour"),
    ("season.day_start", "24:00", "full hour"),
    ("season.training_data_sha256", "abc", "64 hex digits"),
    ("season.metrics", "good", "not JSON"),
    ("season.metrics", "[1]", "a JSON object"),
    ("season.metrics", '{"accuracy": NaN}', "not JSON"),
    ("season.metrics", "[" * 100_000, "not JSON"),
    ("season.name", "x" * 201, "1 to 200 printable characters"),
    ("season.name", "two\nlines", "1 to 200 printable characters"),
]


@pytest.mark.parametrize(("part", "text", "sentence"), BROKEN)
def test_a_broken_field_gets_a_sentence(part: str, text: str, sentence: str) -> None:
    """One line, with the name of the part and what is allowed."""
    with pytest.raises(ContractError) as refused:
        Contract.from_metadata(WHOLE | {part: text}, "file")
    assert refused.value.part == part
    said = str(refused.value)
    assert said.startswith(f"{part}: ")
    assert sentence in said
    assert "\n" not in said
    assert len(said) < 250


def test_a_model_without_a_time_zone_is_refused() -> None:
    """There is no default: one hour off costs more than a stop."""
    with pytest.raises(ContractError, match=r"season\.time_zone: neither"):
        Contract.from_metadata({}, "file")


def test_a_contract_cannot_be_changed() -> None:
    """It is what the file said when it was read."""
    contract = Contract.from_metadata(WHOLE, "file")
    with pytest.raises(ValueError, match="frozen"):
        contract.threshold = 0.1


def test_asking_for_the_contract_needs_no_framework() -> None:
    """The service installs neither torch nor onnx; who only asks for the contract needs no runtime either."""
    code = "import season.contract, sys, json; print(json.dumps(sorted(sys.modules)))"
    loaded = json.loads(subprocess.run([sys.executable, "-c", code], check=True, capture_output=True).stdout)
    assert not {"torch", "onnx", "onnxruntime"} & set(loaded)
