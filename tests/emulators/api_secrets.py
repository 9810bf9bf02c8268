"""Secrets of the emulated messenger: known to everybody, so good for tests only."""

SECRET = "whsec_" + "c2VjcmV0LW9mLXRoZS10ZXN0cy1vbmx5ISE="
OTHER = "whsec_" + "YW5vdGhlci1zZWNyZXQtb2YtdGhlLXRlc3Rz"
