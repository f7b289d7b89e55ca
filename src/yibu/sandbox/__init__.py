"""The sandbox: an upstream vendor with real engines, in a process of its own, on loopback.

It speaks the vendors' formats with code written for it alone, never with the gateway's codecs, so that the two can
disagree. Everything it answers depends only on the request; `created` is a constant and ids are hashes of the request.

    python -m yibu.sandbox --port 9100 --data-dir ./sandbox-data
"""
