"""Judgement without hands: values (and `now`) in, decisions out. No clock, no I/O, no store."""
