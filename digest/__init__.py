"""digest: a community's monthly letter, collected, drafted, approved and mailed."""

__version__ = "0.1.0"
