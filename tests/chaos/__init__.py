"""The service on a real broker while members, broker and publisher fail, seeded; the naive reference judges it."""
