"""A broker that knows its clients by SCRAM over TLS and allows them what its authorizer says: Kafka's own."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import trustme
from confluent_kafka.admin import (  # type: ignore[attr-defined]
    AclBinding,
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    AdminClient,
    NewTopic,
    ResourcePatternType,
    ResourceType,
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialUpsertion,
)
from cryptography.hazmat.primitives import serialization

from kafka_local import Broker
from kafka_local.broker import free_port
from season.required import of_service
from season.rights import TOPIC, Right
from season.topics import Topics
from tests.integration.world import World

_MECHANISM = "SCRAM-SHA-512"
_PASSWORD = "correct horse battery staple"
_KINDS = {"topic": ResourceType.TOPIC, "group": ResourceType.GROUP, "transactional id": ResourceType.TRANSACTIONAL_ID}


class Secured:
    """The running broker. On its plain listener everybody is a superuser: the tests' own hands."""

    def __init__(self, broker: Broker, port: int, authority: Path) -> None:
        self.plain = broker.bootstrap_servers
        self.servers = f"127.0.0.1:{port}"
        self._authority = authority
        self.admin = AdminClient({"bootstrap.servers": self.plain, "log_level": 0})

    def user(self, name: str) -> dict[str, str]:
        """Make a user; return the settings with which a program is this user."""
        scram = ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, 4096)
        upsertion = UserScramCredentialUpsertion(name, scram, _PASSWORD.encode())
        self.admin.alter_user_scram_credentials([upsertion])[name].result()
        return {
            "KAFKA_BOOTSTRAP_SERVERS": self.servers,
            "KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
            "KAFKA_SASL_MECHANISM": _MECHANISM,
            "KAFKA_SASL_USERNAME": name,
            "KAFKA_SASL_PASSWORD": _PASSWORD,
            "KAFKA_SSL_CA_LOCATION": str(self._authority),
        }

    def grant(self, user: str, rights: Iterable[Right]) -> None:
        """Allow a user these operations, each on this one resource."""
        bindings = [_binding(user, right) for right in rights]
        for answer in self.admin.create_acls(bindings).values():
            answer.result()

    def revoke(self, user: str, right: Right) -> None:
        """Take one operation away again."""
        binding = _binding(user, right)
        one = AclBindingFilter(
            binding.restype, binding.name, binding.resource_pattern_type, binding.principal, binding.host,
            binding.operation, binding.permission_type,
        )  # fmt: skip
        (answer,) = self.admin.delete_acls([one]).values()
        assert len(answer.result()) == 1, f"{user} did not have {right}"


def _binding(user: str, right: Right) -> AclBinding:
    operation = AclOperation[right.operation]
    where = (_KINDS[right.resource], right.name, ResourcePatternType.LITERAL)
    return AclBinding(*where, f"User:{user}", "*", operation, AclPermissionType.ALLOW)


class SecuredWorld(World):
    """A world whose programs are one user of the secured broker; that of the tests is the superuser."""

    def __init__(self, secured: Secured) -> None:
        super().__init__(secured.plain, partitions=2)
        self.user = self.name
        self.environ |= secured.user(self.user) | {"INSTANCE_ID": "one"}
        self.topics = Topics.from_environment(self.environ)
        group = self.environ["CONSUMER_GROUP"]
        self.rights = of_service(self.topics, group, f"{group}-{self.environ['INSTANCE_ID']}")

    def create_topics(self) -> None:
        """Make the three topics that the service would make, as their superuser does."""
        names = {right.name for right in self.rights if right.resource == TOPIC} - {self.topics.readings}
        config = {self.topics.changelog: {"cleanup.policy": "compact"}}
        made = [NewTopic(name, self.partitions, config=config.get(name, {})) for name in names]
        for answer in self.admin.create_topics(made).values():
            answer.result()


@contextmanager
def secured_broker(folder: Path) -> Iterator[Secured]:
    """Start such a broker with certificates of its own in `folder`."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(folder / "authority.pem")
    (folder / "server.pem").write_bytes(_store(authority.issue_cert("127.0.0.1")))
    port = free_port()
    settings = {
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "super.users": "User:ANONYMOUS",
        "listeners": f"SASL_SSL://127.0.0.1:{port}",
        "listener.security.protocol.map": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SASL_SSL:SASL_SSL",
        "sasl.enabled.mechanisms": _MECHANISM,
        "listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config": (
            "org.apache.kafka.common.security.scram.ScramLoginModule required;"
        ),
        "ssl.keystore.type": "PEM",
        "ssl.keystore.location": str(folder / "server.pem"),
    }
    with Broker(folder / "broker", settings) as broker:
        yield Secured(broker, port, folder / "authority.pem")


def _store(certificate: trustme.LeafCert) -> bytes:
    """Return key and certificates as Kafka reads them: one PEM text, the key in PKCS #8."""
    key = serialization.load_pem_private_key(certificate.private_key_pem.bytes(), None)
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return key.private_bytes(*form) + b"".join(pem.bytes() for pem in certificate.cert_chain_pems)
