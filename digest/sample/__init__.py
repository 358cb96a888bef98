"""A believable month of a made-up community, for the demo: our own words, people at example.org, nothing real.

The texts are data (posts.toml, events.toml); the modules date them from the `now` they are given and dress them as
the outside does: Medium's RSS, Atom, JSON Feed, iCalendar, and one page that is no feed at all.
"""
