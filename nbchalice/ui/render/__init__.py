"""What commands and widgets show: text for terminals, HTML for notebooks, JSON for programs."""
