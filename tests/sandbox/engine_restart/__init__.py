"""Restarts the engine: runs alone, after everything else (deploy/test.sh)."""
