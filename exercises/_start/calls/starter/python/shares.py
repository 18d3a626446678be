def shares(total_cents: int, people: int) -> list[int]:
    """Return the share of each person, the larger ones first."""
    raise NotImplementedError
