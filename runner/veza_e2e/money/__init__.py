"""What is known of the money."""
