"""What only several processes over one database can get wrong."""
