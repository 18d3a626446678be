def mask(key):
    if len(key) < 4:
        return "*" * len(key)
    return "*" * (len(key) - 4) + key[-4:]
