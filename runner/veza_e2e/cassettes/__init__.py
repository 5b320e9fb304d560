"""Recordings of walkthroughs: a strict layer on vcrpy, and a tape of everything that is not HTTP."""
