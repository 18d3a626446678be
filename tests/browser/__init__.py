"""The site as people use it: a real server, a real sandbox, a real browser."""
