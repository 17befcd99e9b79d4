"""Which setting is named where the Kafka client refuses several beside each other: the one that is wrong."""

from pathlib import Path

import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import pkcs12

from season.client.consumer import consumer_client
from season.kafka import client_properties, merged_properties
from season.settings import SettingError

LOGIN = {"SECURITY_PROTOCOL": "SASL_SSL", "SASL_USERNAME": "me", "SASL_PASSWORD": "hunter2"}
OAUTH = {"SECURITY_PROTOCOL": "SASL_SSL", "SASL_MECHANISM": "OAUTHBEARER", "SASL_OAUTHBEARER_METHOD": "oidc"}
MECHANISMS = "; PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 or OAUTHBEARER is allowed"


def refusal(settings: dict[str, str]) -> str:
    """The sentence about these settings, named without their KAFKA_; no secret stands in it."""
    with pytest.raises(SettingError) as caught:
        client_properties({f"KAFKA_{name}": value for name, value in settings.items()})
    assert "hunter2" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("settings", "begins", "ends"),
    [
        (LOGIN | {"SASL_MECHANISM": "SCRAM-SHA-999"}, "KAFKA_SASL_MECHANISM='SCRAM-SHA-999': ", MECHANISMS),
        (LOGIN | {"SASL_MECHANISMS": "plain"}, "KAFKA_SASL_MECHANISMS='plain': ", MECHANISMS),
        ({"SECURITY_PROTOCOL": "SASL_SSL", "SASL_MECHANISM": "X"}, "KAFKA_SASL_MECHANISM='X': ", MECHANISMS),
        (LOGIN | {"SASL_MECHANISM": "GSSAPI"}, "KAFKA_SASL_MECHANISM='GSSAPI': ", MECHANISMS),
        (LOGIN, "KAFKA_SASL_MECHANISM is not set: ", MECHANISMS),
        (
            {"SECURITY_PROTOCOL": "SASL_SSL", "SASL_MECHANISM": "PLAIN"},
            "KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD are not set: ",
            "",
        ),
        (OAUTH, "KAFKA_SASL_OAUTHBEARER_TOKEN_ENDPOINT_URL is not set: ", ""),
        (
            LOGIN | {"SASL_MECHANISM": "PLAIN", "SSL_CA_LOCATION": "/no/such"},
            "KAFKA_SSL_CA_LOCATION='/no/such': ssl.ca.location failed",
            "",
        ),
        (
            LOGIN | {"SASL_MECHANISM": "PLAIN", "SSL_PROVIDERS": "nope"},
            "KAFKA_SSL_PROVIDERS='nope': Failed to load OpenSSL provider",
            "",
        ),
        ({"SECURITY_PROTOCOL": "SSL", "SSL_CA_PEM": "hunter2"}, "KAFKA_SSL_CA_PEM: failed to read certificate", ""),
        (
            {"RECONNECT_BACKOFF_MS": "20000", "RECONNECT_BACKOFF_MAX_MS": "1000", "CLIENT_RACK": "a"},
            "KAFKA_RECONNECT_BACKOFF_MAX_MS='1000', KAFKA_RECONNECT_BACKOFF_MS='20000': ",
            "`reconnect.backoff.max.ms` must be >= `reconnect.backoff.ms`",
        ),
    ],
)
def test_the_setting_that_is_wrong_is_named(settings: dict[str, str], begins: str, ends: str) -> None:
    """Not the one that only turns it on; one that is missing is named as well, and two that do not go together."""
    sentence = refusal(settings)
    assert sentence.startswith(begins), sentence
    assert sentence.endswith(ends), sentence


@pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER"])
def test_the_mechanisms_that_are_said_to_be_allowed_are(mechanism: str) -> None:
    """Each of them is taken by the client as it is installed."""
    environ = {f"KAFKA_{name}": value for name, value in (LOGIN | {"SASL_MECHANISM": mechanism}).items()}
    assert client_properties(environ)["sasl.mechanism"] == mechanism


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """A folder with a certificate, its key under a password, and both in a keystore."""
    issued = trustme.CA().issue_cert("localhost")
    key = serialization.load_pem_private_key(issued.private_key_pem.bytes(), None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    lock = serialization.BestAvailableEncryption(b"right")
    form = serialization.PrivateFormat.PKCS8
    (tmp_path / "key.pem").write_bytes(key.private_bytes(serialization.Encoding.PEM, form, lock))
    certificate = x509.load_pem_x509_certificate(issued.cert_chain_pems[0].bytes())
    store = pkcs12.serialize_key_and_certificates(b"me", key, certificate, None, lock)
    (tmp_path / "store.p12").write_bytes(store)
    issued.cert_chain_pems[0].write_to_path(tmp_path / "certificate.pem")
    return tmp_path


def test_a_wrong_password_of_a_file_is_named(files: Path) -> None:
    """The keystore's by itself; of a key the client cannot tell a wrong password from a file without a key."""
    store = {"SECURITY_PROTOCOL": "SSL", "SSL_KEYSTORE_LOCATION": str(files / "store.p12")}
    assert refusal(store).startswith("KAFKA_SSL_KEYSTORE_PASSWORD is not set: ")
    assert refusal(store | {"SSL_KEYSTORE_PASSWORD": "hunter2"}).startswith(
        "KAFKA_SSL_KEYSTORE_PASSWORD: Failed to parse"
    )
    key = {
        "SECURITY_PROTOCOL": "SSL",
        "SSL_CERTIFICATE_LOCATION": str(files / "certificate.pem"),
        "SSL_KEY_LOCATION": str(files / "key.pem"),
    }
    named = f"KAFKA_SSL_KEY_LOCATION='{files / 'key.pem'}', KAFKA_SSL_KEY_PASSWORD: "
    assert refusal(key | {"SSL_KEY_PASSWORD": "hunter2"}).startswith(named)
    client_properties({f"KAFKA_{name}": value for name, value in (key | {"SSL_KEY_PASSWORD": "right"}).items()})


def test_a_consumer_s_refusal_beside_a_right_login_does_not_blame_it() -> None:
    """What is ours for this client (a group) is there when the mechanism is tried."""
    environ = {f"KAFKA_{name}": value for name, value in (LOGIN | {"SASL_MECHANISM": "PLAIN"}).items()}
    environ["KAFKA_MAX_POLL_INTERVAL_MS"] = "1000"
    with pytest.raises(SettingError, match=r"^KAFKA_MAX_POLL_INTERVAL_MS='1000': `max.poll.interval.ms`must be"):
        merged_properties(consumer_client, environ, {"group.id": "g"})


def test_the_nearly_right_name_of_the_brokers_is_put_right() -> None:
    """The most frequent slip of all gets the name that was meant; its value may be a secret for all we know."""
    sentence = refusal({"BOOTSTRAP_SERVER": "hunter2"})
    assert sentence.startswith("KAFKA_BOOTSTRAP_SERVER: ")
    assert sentence.endswith("; KAFKA_BOOTSTRAP_SERVERS may be meant")
