"""The service's settings: what the environment says, checked."""

import math
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from consumer.core.outcome import Rules
from season.settings import Duration, Whole

_HOUR = 3600.0


class Settings(BaseModel):
    """One field for each setting, named like it in lower case; durations in seconds.

    What overrides the model's file is checked with the file, and stays a text here.
    """

    model_config = ConfigDict(frozen=True)
    consumer_group: str = "season-consumer"
    instance_id: str = ""
    commit_interval: Duration = 0.1
    model_path: str = "models/season_classifier.onnx"
    model_reload_interval: Duration = 10.0
    model_threshold: str = ""
    window_time_zone: str = ""
    window_day_start: str = ""
    grace_period: Duration = 24 * _HOUR
    max_filled_hours: Whole = Field(2, ge=0, le=12, description="a whole number from 0 to 12")
    idle_timeout: Duration = 48 * _HOUR
    max_future: Duration | None = None
    http_host: str = "127.0.0.1"
    http_port: Whole = Field(8000, ge=0, le=65535, description="a port from 0 to 65535 (0 takes a free one)")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        "INFO", description="DEBUG, INFO, WARNING or ERROR"
    )
    log_format: Literal["text", "json"] = Field("text", description="text or json")

    @model_validator(mode="after")
    def _fit(self) -> Self:
        if self.commit_interval > 5:
            raise ValueError(f"COMMIT_INTERVAL={self.commit_interval:g}s: at most 5s is allowed")
        if self.max_future is not None and self.max_future > self.grace_period:
            raise ValueError(
                f"MAX_FUTURE={self.max_future:g}s is longer than GRACE_PERIOD={self.grace_period:g}s: one broken "
                "clock could end the windows of days that are not over; at most GRACE_PERIOD is allowed"
            )
        return self

    @property
    def rules(self) -> Rules:
        """The limits of windows. A grace period counts in whole seconds, as timestamps do: rounded up."""
        ahead = min(_HOUR, self.grace_period) if self.max_future is None else self.max_future
        return Rules(math.ceil(self.grace_period), self.max_filled_hours, ahead)
