"""A machine that keeps the rules. At least two such, different where the statement promises nothing."""

TABLE = [(65, 300), (18, 500), (6, 250), (0, 0)]


def fare(age):
    for begins, price in TABLE:
        if age >= begins:
            return price
    raise ValueError(f"nobody is {age} years old")
