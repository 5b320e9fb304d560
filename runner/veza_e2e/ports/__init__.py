"""The ports through which a step reaches the world, and their real parts."""
