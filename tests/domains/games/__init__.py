"""Games on OpenSpiel."""
