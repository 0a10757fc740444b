"""The stand-in model: an OpenAI-compatible server that reads plain English and errs by inattention."""
