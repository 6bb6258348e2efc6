"""Comments: submissions, verdicts, decisions, and the threads that readers see."""
