"""The service: reads readings, scores windows, publishes predictions, exactly once."""
