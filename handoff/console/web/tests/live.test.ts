// The live line over a wire that the test holds in its hands.
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type Incoming, Live, type Wire } from "@/live";

class Fake implements Wire {
  readyState = 0;
  sent: unknown[] = [];
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: string }) => void) | null = null;
  onclose: ((event: { code: number }) => void) | null = null;
  send(text: string): void {
    this.sent.push(JSON.parse(text));
  }
  close(): void {
    this.readyState = 3;
  }
  opens(): void {
    this.readyState = 1;
    this.onopen?.();
  }
  says(message: Incoming): void {
    this.onmessage?.({ data: JSON.stringify(message) });
  }
  breaks(): void {
    this.readyState = 3;
    this.onclose?.({ code: 1006 });
  }
}

const wires: Fake[] = [];
const got: Incoming[] = [];
const states: boolean[] = [];
let line: Live;

beforeEach(() => {
  vi.useFakeTimers();
  wires.length = got.length = states.length = 0;
  const open = (): Wire => {
    wires.push(new Fake());
    return wires[wires.length - 1]!;
  };
  line = new Live(open, (message) => got.push(message), (online) => states.push(online));
  line.start();
});
afterEach(() => {
  line.stop();
  vi.useRealTimers();
});

describe("the live line", () => {
  it("goes on behind the last number after a break", () => {
    wires[0]!.opens();
    expect(wires[0]!.sent).toEqual([{ type: "hello", after: null }]);
    wires[0]!.says({ type: "ready", seq: 4 });
    wires[0]!.says({ type: "change", seq: 9, at: "", kind: "session", conversation: 1, data: {} });
    wires[0]!.breaks();
    expect(states).toEqual([true, false]);
    vi.advanceTimersByTime(400);
    wires[1]!.opens();
    expect(wires[1]!.sent).toEqual([{ type: "hello", after: 9 }]);
  });

  it("says standing words again on a new line, the last of each type", () => {
    line.say({ type: "look", conversation: 1 });
    line.say({ type: "look", conversation: 2 });
    line.say({ type: "answering", conversation: 2 });
    wires[0]!.opens();
    wires[0]!.says({ type: "ready", seq: 0 });
    expect(wires[0]!.sent.slice(1)).toEqual([{ type: "look", conversation: 2 }]);
  });

  it("waits longer with each failure, but not for ever", () => {
    for (let failures = 0; failures < 12; failures++) {
      wires[wires.length - 1]!.breaks();
      vi.advanceTimersByTime(10_000);
    }
    expect(wires.length).toBe(13);
  });

  it("gives up a line that is silent", () => {
    wires[0]!.opens();
    wires[0]!.says({ type: "ready", seq: 0 });
    vi.advanceTimersByTime(30_000);
    expect(wires[0]!.sent).toContainEqual({ type: "ping" });
    vi.advanceTimersByTime(30_000);
    expect(wires.length).toBeGreaterThan(1);
    expect(states).toEqual([true, false]);
  });

  it("stays away when it was stopped", () => {
    wires[0]!.opens();
    line.stop();
    wires[0]!.breaks();
    vi.advanceTimersByTime(60_000);
    expect(wires.length).toBe(1);
  });
});
