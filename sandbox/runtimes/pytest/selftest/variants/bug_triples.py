def double(n):
    return 3 * n
