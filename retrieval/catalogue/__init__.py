"""The SQL side of an archive: tables, sessions and the queries the other rooms ask."""
