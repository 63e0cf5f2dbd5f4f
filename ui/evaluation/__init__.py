"""What `evaluate` says: tables for people, one object for programs, a page to print."""
