"""What a person reads about results."""
