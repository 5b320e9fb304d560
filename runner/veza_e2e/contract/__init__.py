"""The contract held against the SDK, against a backend, and against another spec."""
