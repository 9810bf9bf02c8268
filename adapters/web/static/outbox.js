// Messages on their way: kept in the browser until they are in the history, the same id each time. What is kept is the one
// outbox of all tabs: one tab at a time sends, in the order of writing, whatever tab it was written in.
import { call } from "./http.js";
import * as memory from "./memory.js";

const unknownSecret = (error) => error.status === 403 && error.code === "token";

export class Outbox {
  /** `on` hears {sending(entry, here): written, or tried again, in this tab; arrived(entry, seq), waits(message, until), unknown()}. */
  constructor(on) {
    Object.assign(this, { on, entries: [], busy: false, wanted: false, tries: 0 });
    memory.onChange((key, value) => key.startsWith("out:") && this.heard(key.slice(4), value));
  }

  /** Takes up what an earlier visit, or another tab, has left. */
  adopt() {
    this.refresh();
    this.entries.forEach((entry) => this.on.sending(entry, false));
    this.run();
  }

  /** What is kept is what is to be done. */
  refresh() {
    this.entries = memory.waiting();
  }

  /** Another tab wrote a message, or brought one to the server. */
  heard(id, value) {
    const entry = this.find(id);
    this.refresh();
    if (value === null) return entry && this.on.arrived(entry, 0);
    const now = this.find(id);
    if (now) this.on.sending(now, false);
    this.run();
  }

  find(id) {
    return this.entries.find((entry) => entry.id === id);
  }

  /** A new message: `body` goes to the server, `shown` is how it looks until then (null: it is not shown). */
  add(body, shown, id = memory.newId()) {
    this.refresh();
    const after = this.entries.at(-1)?.at ?? 0; // written later is sent later, whatever the clock says
    const entry = { id, body, shown, at: Math.max(Date.now() / 1000, after + 0.001) };
    this.keep(entry);
    this.run();
  }

  keep(entry) {
    memory.keep(entry);
    this.refresh();
    this.on.sending(entry, true);
  }

  retry(id) {
    const entry = this.find(id);
    if (!entry) return;
    this.keep({ ...entry, refused: "" });
    this.run();
  }

  /** The message stands in the history: there is nothing more to keep. */
  done(id) {
    memory.drop(id);
    this.refresh();
  }

  hurry() {
    clearTimeout(this.again);
    this.tries = 0;
    this.run();
  }

  /** All that was accepted without a place belongs to a chat that is gone: it is sent to the new one. */
  restart() {
    this.entries.forEach((entry) => memory.keep({ ...entry, accepted: false }));
    this.hurry();
  }

  async run() {
    this.wanted = true;
    if (this.busy) return;
    this.busy = true;
    clearTimeout(this.again);
    try {
      while (this.wanted) {
        this.wanted = false;
        await memory.alone("outbox", () => this.flush());
      }
    } catch (error) {
      if (unknownSecret(error)) this.on.unknown();
      else this.later(error);
    } finally {
      this.busy = false;
    }
  }

  async flush() {
    const next = () => (this.refresh(), this.entries.find((one) => !one.accepted && !one.refused));
    for (let entry = next(); entry; entry = next()) await this.send(entry);
  }

  /** A later try can mend it: when the server says, else ever more rarely. */
  later(error) {
    const grown = Math.min(20000, 600 * 2 ** Math.min(this.tries++, 6)) * (0.6 + Math.random() * 0.4);
    const wait = Math.max((error.after ?? 0) * 1000, grown);
    if (error.after) this.on.waits(error.message, Date.now() + wait);
    this.again = setTimeout(() => this.run(), wait);
  }

  /** One try. Passes on errors that a later try can mend. */
  async send(entry) {
    try {
      const answer = await call("POST", "/messages", { client_id: entry.id, ...entry.body });
      this.tries = 0;
      if (answer.seq || !entry.shown) this.done(entry.id);
      else memory.keep({ ...entry, accepted: true });
      this.on.arrived(entry, answer.seq);
    } catch (error) {
      if (error.again || unknownSecret(error) || error.status === undefined) throw error;
      this.keep({ ...entry, refused: error.message });
    }
  }
}
