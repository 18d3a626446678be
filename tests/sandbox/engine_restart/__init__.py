"""Tests that end the engine: run alone, on a machine where nobody else uses it."""
