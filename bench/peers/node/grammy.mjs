// grammY with its Redis sessions: the same dialogue of four messages. Arguments: port, address of the Bot API, address of Redis.
import { createServer } from "node:http";
import { RedisAdapter } from "@grammyjs/storage-redis";
import { Bot, session, webhookCallback } from "grammy";
import { Redis } from "ioredis";
import { answer } from "./dialogue.mjs";

const [port, api, redis] = process.argv.slice(2);
const bot = new Bot("42:BENCH", { client: { apiRoot: api } });
bot.use(session({ initial: () => ({}), storage: new RedisAdapter({ instance: new Redis(redis) }) }));
bot.on("message:text", (ctx) => ctx.reply(answer(ctx.session, ctx.message.text)));
await bot.init();
const handle = webhookCallback(bot, "http", { secretToken: "bench" });
createServer(handle).listen(Number(port), "127.0.0.1", 1024);
