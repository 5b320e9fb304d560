"""Durable execution: runs the nine steps once, resumes them, and ends the session."""
