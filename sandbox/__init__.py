"""Runs untrusted code. Knows nothing of Flask, learners or exercises.

`job.py` says what to run, `outcome.py` what happened, `errors.py` what can go wrong;
`docker_box.py` does it on a Docker engine and `fake_box.py` is its scripted twin.
"""
