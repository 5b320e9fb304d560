"""The version of the distribution. It stands only here; the build reads it."""

__version__ = "0.2.0"
