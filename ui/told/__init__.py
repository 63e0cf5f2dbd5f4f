"""What each command says: sentences and tables for people, an object for programs."""
