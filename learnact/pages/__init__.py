"""Pages in HTML about results: the static report, and the templates that the viewer shares."""
