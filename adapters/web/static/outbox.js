// Messages on their way: kept in the browser until they are in the history, sent one after another, the same id each time.
import { call } from "./http.js";
import * as memory from "./memory.js";

export class Outbox {
  /** `on` hears {sending(entry), arrived(entry, seq), failed(entry, error), unknown()}. */
  constructor(on) {
    Object.assign(this, { on, entries: [], busy: false, tries: 0 });
  }

  /** Takes up what an earlier visit, or another tab, has left. */
  adopt() {
    for (const entry of memory.waiting()) {
      if (!this.entries.some((known) => known.id === entry.id)) this.entries.push(entry);
    }
    this.entries.forEach((entry) => this.on.sending(entry));
    this.run();
  }

  /** A new message: `body` goes to the server, `shown` is how it looks until then (null: it is not shown). */
  add(body, shown, id = memory.newId()) {
    const entry = { id, body, shown, at: Date.now() / 1000 };
    this.entries.push(entry);
    memory.keep(entry);
    this.on.sending(entry);
    this.run();
  }

  retry(id) {
    const entry = this.entries.find((known) => known.id === id);
    if (!entry) return;
    entry.refused = false;
    memory.keep(entry);
    this.on.sending(entry);
    this.run();
  }

  /** The message stands in the history: there is nothing more to keep. */
  done(id) {
    this.entries = this.entries.filter((entry) => entry.id !== id);
    memory.drop(id);
  }

  hurry() {
    clearTimeout(this.again);
    this.tries = 0;
    this.run();
  }

  get empty() {
    return this.entries.length === 0;
  }

  /** All that was accepted without a place belongs to a chat that is gone: it is sent to the new one. */
  restart() {
    this.entries.forEach((entry) => (entry.accepted = false));
    this.hurry();
  }

  async run() {
    if (this.busy) return;
    this.busy = true;
    clearTimeout(this.again);
    try {
      let entry;
      while ((entry = this.entries.find((one) => !one.accepted && !one.refused))) await this.send(entry);
    } catch (error) {
      if (error.status === 403 && error.code === "token") this.on.unknown();
      else this.again = setTimeout(() => this.run(), this.wait(error));
    } finally {
      this.busy = false;
    }
  }

  wait(error) {
    const grown = Math.min(20000, 600 * 2 ** Math.min(this.tries++, 6));
    return Math.max(error.after * 1000, grown * (0.6 + Math.random() * 0.4));
  }

  /** One try. Passes on errors that a later try can mend. */
  async send(entry) {
    try {
      const answer = await call("POST", "/messages", { client_id: entry.id, ...entry.body });
      this.tries = 0;
      entry.accepted = true;
      if (answer.seq || !entry.shown) this.done(entry.id);
      else memory.keep(entry);
      this.on.arrived(entry, answer.seq);
    } catch (error) {
      if (error.again || (error.status === 403 && error.code === "token") || error.status === undefined) throw error;
      entry.refused = true;
      memory.keep(entry);
      this.on.failed(entry, error);
    }
  }
}
