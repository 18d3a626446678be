def fare(age):
    if age < 0:
        raise ValueError("age")
    if age < 6:
        return 0
    return 250 if age < 18 else 500
