// Where the boxes of a flow stand and how its arrows run. The graph is laid out by dagre; the words in boxes are broken here.
import { Graph, layout as arrange } from "@dagrejs/dagre";

export type Placed = { number: number; x: number; y: number; width: number; height: number; lines: string[] };
export type Way = { source: number; target: number; path: string; label: string; full: string; x: number; y: number };
export type Drawing = { boxes: Placed[]; ways: Way[]; width: number; height: number };
export type Given = { number: number; label: string };
export type Arrow = { source: number; target: number; label: string };

export const START = 0;
const WIDTH = 216;
const PER_LINE = 25; // letters that surely fit a line of a box
const LINES = 3;
const LINE_HEIGHT = 17;
const HEAD = 25; // the kind and the number above the words
const FOOT = 9;
const LABEL = 24; // letters of an arrow's label
const LETTER = 6.9;
const EDGE = 16;

/** Words in lines of at most so many letters; a word that is longer is broken, what does not fit ends with "…". */
export function wrap(text: string, letters = PER_LINE, most = LINES): string[] {
  const found: string[] = [];
  let line = "";
  const words = text.split(/\s+/u).flatMap((word) => pieces(word, letters)).filter((word) => word);
  for (const word of words) {
    if (!line) line = word;
    else if (length(line) + 1 + length(word) <= letters) line += ` ${word}`;
    else {
      found.push(line);
      line = word;
    }
  }
  if (line) found.push(line);
  if (found.length <= most) return found;
  const last = [...(found[most - 1] ?? "")].slice(0, letters - 1).join("");
  return [...found.slice(0, most - 1), `${last}…`];
}

const length = (text: string): number => [...text].length;

function pieces(word: string, letters: number): string[] {
  const signs = [...word];
  const found: string[] = [];
  for (let at = 0; at < signs.length; at += letters) found.push(signs.slice(at, at + letters).join(""));
  return found;
}

export function cut(text: string, letters = LABEL): string {
  return length(text) <= letters ? text : `${[...text].slice(0, letters - 1).join("")}…`;
}

/** Box 0 is the start; `boxes` come from the API, numbered from 1. */
export function place(start: string, boxes: readonly Given[], arrows: readonly Arrow[]): Drawing {
  const graph = new Graph({ multigraph: true });
  graph.setGraph({ rankdir: "TB", nodesep: 20, ranksep: 34, edgesep: 14, marginx: EDGE, marginy: EDGE });
  graph.setDefaultEdgeLabel(() => ({}));
  const lines = new Map<number, string[]>([[START, wrap(start, PER_LINE, 2)]]);
  for (const box of boxes) lines.set(box.number, wrap(box.label));
  for (const [number, words] of lines) {
    graph.setNode(String(number), { width: WIDTH, height: HEAD + Math.max(1, words.length) * LINE_HEIGHT + FOOT });
  }
  const first: Arrow[] = boxes.length ? [{ source: START, target: 1, label: "" }] : [];
  const ways = [...first, ...arrows];
  ways.forEach((one, n) => {
    const label = cut(one.label);
    const size = label ? { width: length(label) * LETTER + 8, height: 18, labelpos: "c" } : {};
    graph.setEdge(String(one.source), String(one.target), size, String(n));
  });
  arrange(graph);
  const placed = [...lines].map(([number, words]) => {
    const node = graph.node(String(number)) as { x: number; y: number; width: number; height: number };
    return { number, lines: words, width: node.width, height: node.height, x: node.x - node.width / 2, y: node.y - node.height / 2 };
  });
  const drawn = ways.map((one, n) => way(one, graph.edge(String(one.source), String(one.target), String(n)) as Edge));
  const size = graph.graph() as { width?: number; height?: number };
  return { boxes: placed, ways: drawn, width: Math.max(size.width ?? 0, WIDTH), height: size.height ?? 0 };
}

type Point = { x: number; y: number };
type Edge = { points: Point[]; x?: number; y?: number };

function way(one: Arrow, edge: Edge): Way {
  const middle = edge.points[Math.floor(edge.points.length / 2)] ?? { x: 0, y: 0 };
  const place = { x: edge.x ?? middle.x, y: edge.y ?? middle.y };
  return { source: one.source, target: one.target, path: path(edge.points), label: cut(one.label), full: one.label, ...place };
}

const round = (value: number): number => Math.round(value * 10) / 10;

/** A line through the points that turns softly. */
export function path(points: readonly Point[]): string {
  const [first, ...rest] = points;
  if (!first) return "";
  let found = `M${round(first.x)} ${round(first.y)}`;
  rest.forEach((point, n) => {
    const next = rest[n + 1];
    if (!next) found += `L${round(point.x)} ${round(point.y)}`;
    else found += `Q${round(point.x)} ${round(point.y)} ${round((point.x + next.x) / 2)} ${round((point.y + next.y) / 2)}`;
  });
  return found;
}

export const KEYS = ["ArrowUp", "ArrowDown", "ArrowLeft", "ArrowRight", "Home", "End"] as const;
export type Key = (typeof KEYS)[number];

/** The box that an arrow key leads to: the nearest one in that direction, the same where there is none. */
export function neighbour(boxes: readonly Placed[], number: number, key: Key): number {
  const here = boxes.find((one) => one.number === number) ?? boxes[0];
  if (!here) return number;
  const ordered = [...boxes].sort((one, other) => one.y - other.y || one.x - other.x);
  if (key === "Home") return ordered[0]?.number ?? number;
  if (key === "End") return ordered.at(-1)?.number ?? number;
  const [along, across]: ["x" | "y", "x" | "y"] = key === "ArrowUp" || key === "ArrowDown" ? ["y", "x"] : ["x", "y"];
  const sign = key === "ArrowUp" || key === "ArrowLeft" ? -1 : 1;
  const middle = (one: Placed, side: "x" | "y"): number => one[side] + (side === "x" ? one.width : one.height) / 2;
  let best = here.number;
  let least = Infinity;
  for (const one of boxes) {
    const ahead = (middle(one, along) - middle(here, along)) * sign;
    const aside = Math.abs(middle(one, across) - middle(here, across));
    if (one.number === here.number || ahead <= 1 || (along === "x" && aside > ahead)) continue;
    const far = ahead + aside * 2;
    if (far < least) [best, least] = [one.number, far];
  }
  return best;
}
