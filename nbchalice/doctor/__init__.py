"""Looks at all that nbchalice stands on, changes nothing, and says what helps."""
