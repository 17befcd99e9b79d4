"""The error that ends a command of the trainer though its settings are right."""


class FailedError(Exception):
    """A row cannot be read, or a model was not written; `str()` is the sentence. Status 1."""
