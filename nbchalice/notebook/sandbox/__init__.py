"""What is run to be read or proven is confined: it changes no file, starts nothing, reaches nothing, signals nobody."""
