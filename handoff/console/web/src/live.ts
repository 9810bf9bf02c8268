// The live line to the server: what changed, in order, nothing missed over a break; and what is only of the moment.
export type Change = { type: "change"; seq: number; at: string; kind: string; conversation: number; data: Record<string, unknown> };
export type Person = { id: number; title: string };
export type Incoming =
  | { type: "ready"; seq: number }
  | { type: "reset"; seq: number; why: string }
  | Change
  | { type: "gone"; seq: number; at: string; kind: string; conversation: number; number: number }
  | { type: "at"; seq: number }
  | { type: "looking"; conversation: number; people: Person[] }
  | { type: "answering"; conversation: number; person: Person; seconds: number }
  | { type: "client_types"; conversation: number; seconds: number }
  | { type: "client_saw"; conversation: number; upto: number }
  | { type: "tick"; list: string }
  | { type: "pong" }
  | { type: "error"; code: string; about: string; detail: string };
export type Outgoing =
  | { type: "look"; conversation: number | null }
  | { type: "answering"; conversation: number }
  | { type: "watch"; lists: string[] };

/** As much of a WebSocket as is used here. */
export type Wire = Pick<WebSocket, "send" | "close" | "readyState"> & {
  onopen: (() => void) | null;
  onmessage: ((event: { data: string }) => void) | null;
  onclose: ((event: { code: number }) => void) | null;
};

const FIRST_MS = 300;
const LONGEST_MS = 10_000;
const QUIET_MS = 25_000; // without a word for so long, one asks; without an answer as long again, the line is dead
const OPEN = 1;

/** Reconnects by itself, and goes on behind the last number it has got. */
export class Live {
  online = false;
  private after: number | null = null;
  private wire: Wire | null = null;
  private pause = FIRST_MS;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private pulse: ReturnType<typeof setInterval> | undefined;
  private heard = 0;
  private stopped = true;
  private kept: Outgoing[] = []; // the last word of each type, said again on a new line

  constructor(
    private readonly open: () => Wire,
    private readonly got: (message: Incoming) => void,
    private readonly state: (online: boolean) => void,
    private readonly now: () => number = () => Date.now(),
  ) {}

  start(): void {
    if (!this.stopped) return;
    this.stopped = false;
    this.connect();
    this.pulse = setInterval(() => this.beat(), QUIET_MS / 5);
  }

  stop(): void {
    this.stopped = true;
    clearTimeout(this.timer);
    clearInterval(this.pulse);
    this.wire?.close();
    this.wire = null;
    this.turn(false);
  }

  /** At once where there is a line; standing words (`look`, `watch`) again on every new one. */
  say(message: Outgoing): void {
    if (message.type !== "answering") {
      this.kept = [...this.kept.filter((one) => one.type !== message.type), message];
    }
    if (this.online) this.write(message);
  }

  private connect(): void {
    const wire = this.open();
    this.wire = wire;
    this.heard = this.now();
    wire.onopen = () => this.write({ type: "hello", after: this.after });
    wire.onmessage = (event) => this.hear(JSON.parse(event.data) as Incoming);
    wire.onclose = () => this.lost(wire);
  }

  private hear(message: Incoming): void {
    this.heard = this.now();
    if ("seq" in message) this.after = message.seq;
    if (message.type === "ready") {
      this.pause = FIRST_MS;
      this.turn(true);
      for (const one of this.kept) this.write(one);
    }
    this.got(message);
  }

  private lost(wire: Wire): void {
    if (wire !== this.wire) return;
    this.wire = null;
    this.turn(false);
    if (this.stopped) return;
    this.timer = setTimeout(() => this.connect(), this.pause);
    this.pause = Math.min(this.pause * 2, LONGEST_MS);
  }

  private beat(): void {
    const quiet = this.now() - this.heard;
    if (quiet > 2 * QUIET_MS && this.wire !== null) {
      const dead = this.wire;
      dead.close();
      this.lost(dead); // a dead line may never say that it is closed
    } else if (quiet > QUIET_MS && this.online) {
      this.write({ type: "ping" });
    }
  }

  private write(message: object): void {
    if (this.wire?.readyState === OPEN) this.wire.send(JSON.stringify(message));
  }

  private turn(online: boolean): void {
    if (this.online === online) return;
    this.online = online;
    this.state(online);
  }
}

/** The socket of this page's own server. */
export function openSocket(): Wire {
  const scheme = location.protocol === "https:" ? "wss:" : "ws:";
  return new WebSocket(`${scheme}//${location.host}/api/v1/live`) as unknown as Wire;
}
