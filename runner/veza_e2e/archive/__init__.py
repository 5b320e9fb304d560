"""The archive: where sessions are, and what is added to them later. It grows by adding; nothing is rewritten."""
