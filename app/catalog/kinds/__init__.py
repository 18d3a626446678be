"""What an author may write for a kind, one module each: the registry is this folder."""
