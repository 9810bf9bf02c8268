"""The references of `docs/`, each made from the product itself; `docs/generate.py` writes them."""
