"""`--acls`: the lines for Kafka's own tool that give each program the rights that it needs, and no more."""

import shlex
from collections.abc import Iterator, Sequence

from season.required import of_producer, of_service, of_watch
from season.rights import CREATE, GROUP, TOPIC, TRANSACTIONAL_ID, Right, by_resource
from season.topics import Topics

_OPTIONS = {TOPIC: "--topic", GROUP: "--group", TRANSACTIONAL_ID: "--transactional-id"}


def script(servers: str, topics: Topics, group: str) -> str:
    """Return the lines for the three programs, as a script of the shell; NAME is for the reader to fill in."""
    lines = [
        "# Put the users' names for NAME; --command-config FILE says who you are to a broker that asks.",
        "# The transactional id is a prefix, since each instance puts its INSTANCE_ID behind it.",
        "",
        "# The service: python -m consumer",
        *_lines(servers, topics, of_service(topics, group, f"{group}-")),
        "",
        "# The producer: python -m producer",
        *_lines(servers, topics, of_producer(topics, resume=False)),
        "# and with --resume, as well:",
        *_lines(servers, topics, of_producer(topics, resume=True)[1:], creates=False),
        "",
        "# The subscriber for a person: python -m consumer watch",
        *_lines(servers, topics, of_watch(topics), creates=False),
    ]
    return "\n".join(lines) + "\n"


def _lines(servers: str, topics: Topics, rights: Sequence[Right], creates: bool = True) -> Iterator[str]:
    """Return a line for each resource; those who write or read a topic first may create it, unless that is off."""
    for on_one in by_resource(rights):
        resource, name = on_one[0].resource, on_one[0].name
        operations = [right.operation for right in on_one]
        if creates and topics.create and resource == TOPIC:
            operations.append(CREATE)
        words = ["kafka-acls.sh", "--bootstrap-server", servers, "--add", "--allow-principal", "User:NAME"]
        for operation in operations:
            words += ["--operation", operation.capitalize()]
        words += [_OPTIONS[resource], name]
        if resource == TRANSACTIONAL_ID:
            words += ["--resource-pattern-type", "prefixed"]
        yield shlex.join(words)
