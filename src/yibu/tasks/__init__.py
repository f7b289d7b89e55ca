"""Durable work: a row in the database is the queue, the state and the receipt.

`engine` claims rows that are due and moves each one step on; `films` knows the steps of a film, `chores` those of the
house's own repeating work. `files` keeps what comes out.
"""
