"""Amazon Bedrock's Converse API, written by hand from AWS's documentation (*Converse*, *ConverseStream*), read 2026-11-22."""
