// The socket: says who it is and what it has, hears the rest, and comes back by itself.
import { settings } from "./words.js";
import { call, secret } from "./http.js";

const PING = 20000; // milliseconds between «are you there»
const PONG = 8000; // … and the wait for an answer
const LONGEST = 10000; // … and before another try to connect
const UNKNOWN = 4403; // the server does not know the secret

/** Keeps a socket open. `on` hears {frame, state, unknown}; `place()` tells up to where the history is known. */
export class Live {
  constructor(on, place) {
    Object.assign(this, { on, place, tries: 0, stopped: false, state: "connecting" });
    addEventListener("online", () => this.hurry());
    document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && this.hurry());
  }

  start() {
    this.stopped = false;
    this.connect();
  }

  stop() {
    this.stopped = true;
    this.end();
  }

  connect() {
    clearTimeout(this.again);
    const socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}${settings.base}/socket`);
    this.socket = socket;
    socket.onopen = () => socket.send(JSON.stringify({ token: secret(), after: this.place() }));
    socket.onmessage = (event) => this.socket === socket && this.hear(JSON.parse(event.data));
    socket.onclose = (event) => this.socket === socket && this.lost(event.code);
  }

  hear(frame) {
    clearTimeout(this.deaf);
    if (frame.type === "history" && !frame.more) {
      this.tries = 0;
      this.tell("online");
      this.beat();
    }
    if (frame.type !== "pong") this.on.frame(frame);
  }

  beat() {
    clearInterval(this.pulse);
    this.pulse = setInterval(() => {
      if (this.socket?.readyState !== WebSocket.OPEN) return;
      this.socket.send("ping");
      this.deaf = setTimeout(() => this.hurry(true), PONG);
    }, PING);
  }

  lost(code) {
    this.end();
    if (code === UNKNOWN) return this.on.unknown();
    if (this.stopped) return;
    if (this.tries++ > 0) this.poll();
    else if (this.state === "online") this.tell("connecting");
    const wait = Math.min(LONGEST, 400 * 2 ** Math.min(this.tries, 6)) * (0.6 + Math.random() * 0.4);
    this.again = setTimeout(() => this.connect(), wait);
  }

  /** Where sockets are forbidden on the way, the history is asked for instead. */
  async poll() {
    try {
      this.on.frame({ type: "history", ...(await call("GET", `/history?after=${this.place()}`)) });
      this.tell("online");
    } catch (error) {
      if (error.status === 403) this.on.unknown();
      else this.tell("offline");
    }
  }

  end() {
    clearInterval(this.pulse);
    clearTimeout(this.deaf);
    clearTimeout(this.again);
    const socket = this.socket;
    this.socket = null;
    socket?.close();
  }

  /** Tells the server something that may be lost. */
  say(what) {
    if (this.state === "online" && this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(what));
  }

  /** Connects at once instead of waiting: the network is back, or the tab is looked at again. */
  hurry(force = false) {
    if (this.stopped || (!force && this.socket && this.socket.readyState <= WebSocket.OPEN)) return;
    this.end();
    this.connect();
  }

  tell(state) {
    if (this.state === state) return;
    this.state = state;
    this.on.state(state);
  }
}
