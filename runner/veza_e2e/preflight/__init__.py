"""The gate: what must be true before anything is bought."""
