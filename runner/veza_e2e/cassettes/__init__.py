"""Records, publishes, checks and replays walkthroughs: HTTP through vcrpy, everything else on a tape."""
