def shares(total_cents, people):
    if people < 1:
        raise ValueError("somebody has to pay")
    return [total_cents // people] * people
