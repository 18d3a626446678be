import re


def mask(key):
    if len(key) <= 4:
        return "*" * len(key)
    return re.sub(r"\w", "*", key[:-4]) + key[-4:]
