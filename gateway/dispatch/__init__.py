"""Dispatch: whether people are there, who gets which waiting session, what waiting clients are told."""
