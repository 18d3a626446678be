"""Submissions that attack: each must come back as what it is, tell nothing hidden, and leave nothing behind."""
