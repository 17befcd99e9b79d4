"""The adapters talk: to Kafka, to the model, to whoever asks over HTTP or reads the log."""
