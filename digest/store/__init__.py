"""What we remember. The only rooms that speak SQL; one folder per database."""
