def fare(age):
    if age < 0:
        raise ValueError("age")
    if age <= 6:
        return 0
    if age < 18:
        return 250
    return 500 if age < 65 else 300
