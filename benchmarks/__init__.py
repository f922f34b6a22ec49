"""What the product costs, measured beside floors and peers in the same run."""
