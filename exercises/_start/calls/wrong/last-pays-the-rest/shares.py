def shares(total_cents, people):
    if people < 1:
        raise ValueError("somebody has to pay")
    share, rest = divmod(total_cents, people)
    return [share] * (people - 1) + [share + rest]
