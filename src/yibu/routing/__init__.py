"""Who could serve a call, and in which order. Planning is pure; health is what this process has seen."""
