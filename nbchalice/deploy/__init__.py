"""Desired, inspect, plan, execute: what should stand, what stands, the difference, and the work."""
