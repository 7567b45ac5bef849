"""What a person sees and types: commands, what they show, widgets, and the magics, which alone know all of them."""
