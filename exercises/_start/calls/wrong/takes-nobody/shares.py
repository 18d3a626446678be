def shares(total_cents, people):
    if people < 1:
        return []
    share, rest = divmod(total_cents, people)
    return [share + 1] * rest + [share] * (people - rest)
