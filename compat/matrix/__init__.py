"""Official SDKs against every upstream dialect, feature by feature. One file a client; `feature.py` names the features."""
