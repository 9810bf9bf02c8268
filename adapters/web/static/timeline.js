// The order of things: items by their place in the history, then messages that have no place yet. Each exactly once.

const LATER = Number.MAX_SAFE_INTEGER;

/** What pressing a button would answer: its token, or the kind of thing it asks for. */
export function offer(button) {
  return button.token || (button.ask && `ask:${button.ask}`) || "";
}

export class Timeline {
  constructor() {
    this.clear();
  }

  clear() {
    this.items = new Map(); // key → item
    this.places = new Map(); // seq → key
    this.cursor = 0; // up to this place nothing is missing
  }

  /** Takes an item of the server; the newest telling of a place wins. */
  put(item) {
    if (item.hidden) {
      this.places.set(item.seq, "");
    } else {
      const key = item.id ? `own:${item.id}` : `seq:${item.seq}`;
      const known = this.items.get(key);
      if (known?.seq && !item.seq) return; // a late echo of a message that has its place already
      this.items.set(key, { ...item, key, state: item.author === "client" ? "delivered" : "", at: item.at ?? known?.at });
      if (item.seq) this.places.set(item.seq, key);
    }
    while (this.places.has(this.cursor + 1)) this.cursor++;
  }

  /** A part of the history: up to `cursor` all is final. */
  history(frame) {
    frame.items.forEach((item) => this.put(item));
    this.cursor = Math.max(this.cursor, frame.cursor);
  }

  /** A message of this browser that has not arrived. */
  own(id, shown, at, state, reason) {
    const key = `own:${id}`;
    if (!this.items.get(key)?.seq) this.items.set(key, { ...shown, id, key, seq: 0, author: "client", at, state, reason });
  }

  /** What became of a message of ours. */
  change(id, values) {
    const item = this.items.get(`own:${id}`);
    if (!item) return;
    Object.assign(item, values);
    if (values.seq) this.places.set(values.seq, item.key);
  }

  /** The message was taken away: its place stays, its words go. */
  remove(seq) {
    const key = this.places.get(seq);
    if (!key) return this.places.set(seq, "");
    const { id, author, at } = this.items.get(key);
    this.items.set(key, { id, key, seq, author, at, text: "", gone: true, state: author === "client" ? "delivered" : "" });
  }

  /** The item that others call so: a message of the client by its id, one of ours by its place. */
  named(id) {
    return this.items.get(`own:${id}`) ?? this.items.get(this.places.get(Number(id)));
  }

  placed(id) {
    return Boolean(this.items.get(`own:${id}`)?.seq);
  }

  /** The lowest place that is loaded, 0 when nothing is. */
  get first() {
    const seqs = [...this.places.keys()];
    return seqs.length ? Math.min(...seqs) : 0;
  }

  get last() {
    return this.places.size ? Math.max(...this.places.keys()) : 0;
  }

  /** All items in order. Each message with buttons knows which was pressed (`chosen`): a press belongs to the latest
   *  message before it that offered the button. */
  ordered() {
    const all = [...this.items.values()].sort((a, b) => (a.seq || LATER) - (b.seq || LATER) || a.at - b.at);
    const offered = new Map();
    for (const item of all) {
      item.chosen = null;
      if (item.quote) item.quote = { ...item.quote, author: this.named(item.quote.id)?.author ?? "" };
      for (const button of (item.rows ?? []).flat()) if (offer(button)) offered.set(offer(button), item);
      const taken = item.token || (item.phone && "ask:contact") || (item.place && "ask:location");
      if (taken && item.state !== "failed" && offered.has(taken)) offered.get(taken).chosen = taken;
    }
    return all;
  }
}
