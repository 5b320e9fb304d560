"""The contract tools: reading any API description, comparing it with ours, testing a running backend."""
