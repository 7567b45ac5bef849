"""A confined process that runs code to read it or to prove it, and what describes values there and in the kernel."""
