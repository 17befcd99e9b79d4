"""The `client.id` of a program and instance, by which the broker's logs and quotas distinguish them."""

import socket
from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict

from season.settings import load, setting


class ClientSettings(BaseModel):
    """The setting that says which instance this is."""

    model_config = ConfigDict(frozen=True)
    instance_id: str = setting(
        socket.gethostname,
        "names this instance, in its client.id (`<program>-<INSTANCE_ID>`) too; each of the service needs its own",
        shown="the host's name",
    )


def identified(environ: Mapping[str, str], program: str) -> dict[str, str]:
    """Return the environment with the `client.id` of this program and instance, unless set. Raises SettingError."""
    if environ.get("KAFKA_CLIENT_ID"):
        return dict(environ)
    return {**environ, "KAFKA_CLIENT_ID": f"{program}-{load(ClientSettings, environ).instance_id}"}
