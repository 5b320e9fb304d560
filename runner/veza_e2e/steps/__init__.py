"""The nine steps, in the order of the walkthrough."""
