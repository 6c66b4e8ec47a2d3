"""What is told to people about the system itself: guides, and the data dictionary."""
