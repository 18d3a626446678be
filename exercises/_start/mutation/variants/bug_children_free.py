def fare(age):
    if age < 0:
        raise ValueError("age")
    if age < 18:
        return 0
    return 500 if age < 65 else 300
