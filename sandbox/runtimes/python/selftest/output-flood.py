def double(n):
    while True:
        print("x" * 4096)
