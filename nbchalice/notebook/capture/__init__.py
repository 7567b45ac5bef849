"""What a handler needs of a notebook: found by the analysis, proven by a run."""
