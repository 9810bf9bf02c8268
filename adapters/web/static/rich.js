// Texts with marks as DOM nodes. Nothing a person wrote is ever read as markup: only text nodes are made.

const ADDRESS = /https?:\/\/[^\s<>"«»]+[^\s<>"«».,;:!?)\]}'…]/g;
const TAGS = { bold: "strong", italic: "em", code: "code" };

/** An element with a class and children (strings become text). */
export function node(tag, className = "", ...children) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  made.append(...children);
  return made;
}

/** A line icon by the path of its SVG. */
export function icon(path) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const line = document.createElementNS("http://www.w3.org/2000/svg", "path");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  line.setAttribute("d", path);
  svg.append(line);
  return svg;
}

/** A link that opens apart and tells nothing about this page; null for anything but web, mail and phone. */
export function anchor(url, ...children) {
  if (!/^(https?:\/\/|mailto:|tel:)/i.test(url)) return null;
  const made = node("a", "", ...children);
  made.href = url;
  made.target = "_blank";
  made.rel = "noopener noreferrer nofollow";
  return made;
}

/** Nodes of a text. Offsets of marks count code points, as the server's do. */
export function rich(text, marks = []) {
  const points = Array.from(text);
  const edges = new Set([0, points.length]);
  for (const [, start, end] of marks) edges.add(Math.min(start, points.length)).add(Math.min(end, points.length));
  const cuts = [...edges].sort((a, b) => a - b);
  const made = document.createDocumentFragment();
  for (let i = 0; i + 1 < cuts.length; i++) {
    const part = points.slice(cuts[i], cuts[i + 1]).join("");
    made.append(wrap(part, marks.filter(([, start, end]) => start <= cuts[i] && end >= cuts[i + 1])));
  }
  return made;
}

function wrap(part, marks) {
  const link = marks.find(([kind]) => kind === "link");
  let inner = link || marks.some(([kind]) => kind === "code") ? document.createTextNode(part) : addresses(part);
  for (const [kind] of marks) if (TAGS[kind]) inner = node(TAGS[kind], "", inner);
  return link ? (anchor(link[3], inner) ?? inner) : inner;
}

function addresses(part) {
  const made = document.createDocumentFragment();
  let from = 0;
  for (const match of part.matchAll(ADDRESS)) {
    made.append(part.slice(from, match.index), anchor(match[0], match[0]) ?? match[0]);
    from = match.index + match[0].length;
  }
  made.append(part.slice(from));
  return made;
}
