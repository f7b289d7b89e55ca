"""Yibu (一步API): one base URL and one key for every model of every vendor."""

__version__ = "0.1.0"
