"""What decides about a release."""

EX_9 = "ex-9"
ROTATED = "password-rotated"
UNRELATED = "unrelated"
