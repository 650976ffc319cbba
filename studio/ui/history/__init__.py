"""What was made, as the page shows it."""
