def mask(key):
    return "*" * (len(key) - 4) + key[-4:]
