"""Brings a machine to where the site can be served or tested."""
