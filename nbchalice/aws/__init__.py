"""The account that nbchalice works on: real AWS when asked for, the embedded local AWS otherwise."""
