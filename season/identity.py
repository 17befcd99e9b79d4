"""Who a program is to the broker: the `client.id` by which logs and quotas tell programs and instances apart."""

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
    """Return the environment with the `client.id` of this program and instance, where it sets none. SettingError."""
    if environ.get("KAFKA_CLIENT_ID"):
        return dict(environ)
    return {**environ, "KAFKA_CLIENT_ID": f"{program}-{load(ClientSettings, environ).instance_id}"}
