"""What two programs must agree on: the calendar, files of readings, messages, topics, the model contract."""
