def shares(total_cents: int, people: int) -> list[int]:
    """Return the share of each person, the larger ones first."""
    if people < 1:
        raise ValueError("somebody has to pay")
    share, rest = divmod(total_cents, people)
    return [share + 1] * rest + [share] * (people - rest)
