select g, repeat('x', 1000) from generate_series(1, 40000) g
