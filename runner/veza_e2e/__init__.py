"""The runner: walks through one real purchase and keeps the evidence."""
