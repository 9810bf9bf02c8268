"""The demo: invented clients and colleagues over a store of their own, so that everything can be seen at work."""
