"""What a person sees and types in the notebook: magics and cards."""
