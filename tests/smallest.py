"""The smallest bot that compiles: says hello, whatever is asked. For tests that need a bot, and no certain one."""

BOT = "bot: Б\nwelcome: hello\nfallback: hello\noperator: hello\n"
HELLO = "flow: Привет\nsteps:\n  - say: Здравствуйте\n  - end: готово\n"
FLOWS = {"_bot.yaml": BOT, "hello.yaml": HELLO}
