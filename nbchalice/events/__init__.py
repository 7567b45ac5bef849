"""Test events: sent through the real service, or handed to the function, and followed to their invocation."""
