# Written by sdk/generate.py; not edited by hand.
"""The asynchronous client; the synchronous one is generated from it."""
