"""The service's settings: what the environment says, checked."""

from typing import Literal, Self

from pydantic import ConfigDict, model_validator

from consumer.core.outcome import Rules
from season.identity import ClientSettings
from season.installed import default_model
from season.settings import Duration, WholeNumber, setting
from season.topics import TopicSettings

_FILE_SAYS = "what the model's file says"
_LONGEST_COMMIT_S = 5
_USUAL_FUTURE = Duration("1h")


class Settings(TopicSettings, ClientSettings):
    """One field for each setting, named like it in lower case.

    What overrides the model's file is checked with the file, and stays a text here.
    """

    model_config = ConfigDict(frozen=True)
    commit_interval: Duration = setting(
        "100ms", "the longest that a result waits for its transaction", allowed="at most 5s"
    )
    model_path: str = setting(
        default_model,
        "the ONNX file; a new one there is taken up while running",
        shown="`models/season_classifier.onnx`, which comes with the program",
    )
    model_reload_interval: Duration = setting("10s", "how often the service looks for a new model file")
    model_threshold: str = setting(
        "", "the probability from which a day is winter", allowed="a number between 0 and 1", shown=_FILE_SAYS
    )
    window_time_zone: str = setting(
        "", "the time zone of the windows", allowed="a name such as Europe/Rome", shown=_FILE_SAYS
    )
    window_day_start: str = setting(
        "", "the hour at which a window begins", allowed="a full hour such as 00:00", shown=_FILE_SAYS
    )
    grace_period: Duration = setting("24h", "how long after its end a window takes readings")
    max_filled_hours: WholeNumber = setting(
        2, "how many missing hours are filled at a window's end", allowed="a whole number from 0 to 12", ge=0, le=12
    )
    idle_timeout: Duration = setting("48h", "after how long a zone's silence its windows end; 0 turns it off")
    max_future: Duration | None = setting(
        None,
        "how far ahead of the clock a reading may be",
        allowed="at most GRACE_PERIOD",
        shown="`1h`, or GRACE_PERIOD where that is shorter",
    )
    http_host: str = setting("127.0.0.1", "where /metrics, /healthz, /readyz and /model are served")
    http_port: WholeNumber = setting(
        8000, "on which port", allowed="a port from 0 to 65535; 0 takes a free one", ge=0, le=65535
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = setting(
        "INFO", "what is logged", allowed="DEBUG, INFO, WARNING or ERROR"
    )
    log_format: Literal["text", "json"] = setting("text", "in which form", allowed="text or json")

    @model_validator(mode="after")
    def _fit(self) -> Self:
        if self.commit_interval > _LONGEST_COMMIT_S:
            raise ValueError(f"COMMIT_INTERVAL='{self.commit_interval}': at most 5s is allowed")
        if self.max_future is not None and self.max_future > self.grace_period:
            raise ValueError(
                f"MAX_FUTURE='{self.max_future}' is longer than GRACE_PERIOD='{self.grace_period}': one broken "
                "clock could end the windows of days that are not over; at most GRACE_PERIOD is allowed"
            )
        return self

    @property
    def model_overrides(self) -> dict[str, str]:
        """Return what overrides the model's file, by the contract's field; an empty text overrides nothing."""
        return {
            "threshold": self.model_threshold,
            "time_zone": self.window_time_zone,
            "day_start": self.window_day_start,
        }

    @property
    def rules(self) -> Rules:
        """Return the limits of windows."""
        ahead = min(_USUAL_FUTURE, self.grace_period) if self.max_future is None else self.max_future
        return Rules(self.grace_period, self.max_filled_hours, ahead)
