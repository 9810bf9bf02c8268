"""The dialogue language and its engine. Pure: YAML texts and values in, values out."""
