"""People: registering, signing in and out, roles, settings."""
