"""From a slice to what is uploaded: the deterministic zip, its dependency layer, and their sizes."""
