"""A local web application that shows runs, episodes and libraries."""
