"""Programs and checks that run in the environments of readers (reader_venv), not in that of the tests."""
