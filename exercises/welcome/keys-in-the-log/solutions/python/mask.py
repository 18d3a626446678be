SHOWN = 4


def mask(key):
    """Return `key` with all but its last four characters replaced by stars; short keys are hidden whole."""
    if len(key) <= SHOWN:
        return "*" * len(key)
    return "*" * (len(key) - SHOWN) + key[-SHOWN:]
