"""The contract tools: read any API description, compare it with ours, test a running backend."""
