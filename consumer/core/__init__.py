"""The core decides what readings do to windows: arrays in, arrays out; no Kafka, model, clock, file or log."""
