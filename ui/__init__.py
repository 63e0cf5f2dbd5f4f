"""What a person touches: the command `prizemarks` and the web page."""
