"""The site: the published archive, made from journals at build time."""
