"""Takes more memory than a box may have."""

held = []
for _ in range(64):
    held.append(bytearray(b"x" * (4 * 1024 * 1024)))
print("survived")
