"""The archive: stored sessions, and what is added to them later. Files are added, never rewritten."""
