"""What the recipes were chosen by, and what they promise: the tables of docs/models.md. No program needs it."""
