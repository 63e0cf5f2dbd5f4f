"""Makes the data that ships with the program; nothing here ships, and it needs the extra `dev`."""
