"""A right on the broker, and the sentence for those that a program lacks."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby

from season.settings import RefusedError

TOPIC, GROUP, TRANSACTIONAL_ID = "topic", "group", "transactional id"
READ, WRITE, CREATE = "READ", "WRITE", "CREATE"


@dataclass(frozen=True)
class Right:
    """One operation on one resource, and the settings that name the resource. READ and WRITE imply DESCRIBE."""

    operation: str
    resource: str
    name: str
    setting: str

    def __str__(self) -> str:
        return f"{self.operation} on {self.where}"

    @property
    def where(self) -> str:
        """Return the resource for a person: "the topic 'readings' (READINGS_TOPIC)"."""
        return f"the {self.resource} {self.name!r} ({self.setting})"


def refusal(lacking: Iterable[Right], account: str) -> RefusedError:
    """Return the error that names the rights that `account` lacks, those on one resource together."""
    return RefusedError(
        f"the broker denies {account} {', '.join(_named(rights) for rights in by_resource(lacking))}; "
        "`python -m consumer check --acls` prints the kafka-acls.sh lines that are enough"
    )


def by_resource(rights: Iterable[Right]) -> list[list[Right]]:
    """Return neighbouring rights on the same resource together."""
    return [list(group) for _, group in groupby(rights, lambda right: (right.resource, right.name))]


def _named(rights: list[Right]) -> str:
    operations = [right.operation for right in rights]
    missing = ", which does not exist yet" if CREATE in operations else ""
    return f"{' and '.join(operations)} on {rights[0].where}{missing}"
