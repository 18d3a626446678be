import os


def double(n):
    os.abort()
