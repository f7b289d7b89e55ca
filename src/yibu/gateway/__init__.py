"""The data plane: a plain ASGI callable. A call is six steps in a straight line; `call.py` is where they stand.

admit ─► read ─► plan ─► hold ─► relay ─► close
"""
