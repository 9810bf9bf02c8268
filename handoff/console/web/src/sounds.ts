// Short sounds that are made here, as files in memory: nothing is loaded, and the page's policy allows no other host.
import type { Kind } from "@/alerts";

const RATE = 22_050;
type Note = { hertz: number; from: number; seconds: number };
const TUNES: Record<Kind, Note[]> = {
  offer: [
    { hertz: 587, from: 0, seconds: 0.16 },
    { hertz: 880, from: 0.13, seconds: 0.3 },
  ],
  message: [{ hertz: 784, from: 0, seconds: 0.22 }],
  deadline: [
    { hertz: 660, from: 0, seconds: 0.14 },
    { hertz: 660, from: 0.2, seconds: 0.14 },
    { hertz: 660, from: 0.4, seconds: 0.26 },
  ],
  mention: [
    { hertz: 988, from: 0, seconds: 0.12 },
    { hertz: 784, from: 0.11, seconds: 0.25 },
  ],
};

/** A tune as samples from -1 to 1: soft tones that fade, with no click at either end. */
export function samples(tune: readonly Note[], rate = RATE): Float32Array {
  const end = Math.max(...tune.map((note) => note.from + note.seconds));
  const made = new Float32Array(Math.round(end * rate));
  for (const { hertz, from, seconds } of tune) {
    const [first, count] = [Math.floor(from * rate), Math.floor(seconds * rate)];
    for (let at = 0; at < count && first + at < made.length; at++) {
      const [when, part] = [at / rate, at / count];
      const loud = Math.min(1, when / 0.008) * (1 - part) ** 2;
      made[first + at]! += 0.45 * loud * (Math.sin(2 * Math.PI * hertz * when) + 0.25 * Math.sin(4 * Math.PI * hertz * when));
    }
  }
  return made.map((one) => Math.max(-1, Math.min(1, one)));
}

/** A WAVE file: one channel, 16 bits. */
export function wave(sound: Float32Array, rate = RATE): ArrayBuffer {
  const bytes = new DataView(new ArrayBuffer(44 + sound.length * 2));
  const text = (at: number, word: string): void => [...word].forEach((sign, place) => bytes.setUint8(at + place, sign.charCodeAt(0)));
  text(0, "RIFF");
  bytes.setUint32(4, 36 + sound.length * 2, true);
  text(8, "WAVEfmt ");
  for (const [at, value] of [[16, 16], [24, rate], [28, rate * 2], [40, sound.length * 2]] as const) bytes.setUint32(at, value, true); // prettier-ignore
  for (const [at, value] of [[20, 1], [22, 1], [32, 2], [34, 16]] as const) bytes.setUint16(at, value, true); // prettier-ignore
  text(36, "data");
  sound.forEach((one, at) => bytes.setInt16(44 + at * 2, Math.round(one * 32_767), true));
  return bytes.buffer;
}

const made = new Map<Kind, string>();

function addressOf(kind: Kind): string {
  const known = made.get(kind) ?? URL.createObjectURL(new Blob([wave(samples(TUNES[kind]))], { type: "audio/wav" }));
  made.set(kind, known);
  return known;
}

/** Plays it; false where the browser does not let the page be heard (nobody has clicked in it yet). */
export async function play(kind: Kind, volume: number): Promise<boolean> {
  const audio = new Audio(addressOf(kind));
  audio.volume = volume / 100;
  try {
    await audio.play();
    return true;
  } catch {
    return false;
  }
}
