"""`make demo`: real readings through a real Kafka, and season labels out, on one machine."""
