"""The runner: a walkthrough of one real purchase, on record."""
