def mask(key):
    return "*" * 8 + key[-4:]
