select string_agg(repeat('x', 1000000), '') from generate_series(1, 400)
