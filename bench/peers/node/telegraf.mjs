// telegraf with its Redis sessions: the same dialogue of four messages. Arguments: port, address of the Bot API, address of Redis.
import { Agent, createServer } from "node:http";
import { Redis } from "@telegraf/session/redis";
import { session, Telegraf } from "telegraf";
import { message } from "telegraf/filters";
import { answer } from "./dialogue.mjs";

const [port, api, redis] = process.argv.slice(2);
const bot = new Telegraf("42:BENCH", { telegram: { apiRoot: api, agent: new Agent({ keepAlive: true }) } });
bot.use(session({ store: Redis({ url: redis }), defaultSession: () => ({}) }));
bot.on(message("text"), (ctx) => ctx.reply(answer(ctx.session, ctx.message.text)));
bot.botInfo = await bot.telegram.getMe();
createServer(bot.webhookCallback("/hook", { secretToken: "bench" })).listen(Number(port), "127.0.0.1", 1024);
