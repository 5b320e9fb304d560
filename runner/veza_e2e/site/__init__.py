"""The site: archive, live report and GO/NO-GO, made from journals at build time."""
