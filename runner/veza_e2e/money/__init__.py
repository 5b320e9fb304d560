"""What a payment's state, and the end of a step, say about the money."""
