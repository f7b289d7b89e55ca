"""Answers that are kept for their callers: what OpenAI's Responses interface promises to remember.

A response belongs to the wallet that paid for it, and is kept as long as the setting `responses.ttl_hours` says. What was
said before it is found through `previous_id`, one response after another, so a conversation is stored once.
"""
