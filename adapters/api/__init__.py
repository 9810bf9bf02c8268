"""Any messenger as a channel: typed JSON by signed webhooks, both ways. The protocol: `docs/api-channel.md`."""
