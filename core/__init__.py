"""The hall: the words every room speaks. No I/O, and imports nothing of ours."""
