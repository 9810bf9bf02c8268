// Files of messages: pictures as thumbnails with a viewer, the rest as downloads.
import { size, word } from "./words.js";
import { blob } from "./http.js";
import { icon, node } from "./rich.js";

const ARROW = "M12 4.5v10M7.5 10.5L12 15l4.5-4.5M5 19h14";
const addresses = new Map(); // path → promise of a blob address
const viewer = document.getElementById("viewer");
const shown = document.getElementById("viewer-image");

viewer.addEventListener("click", (event) => event.target === viewer && viewer.close());

/** What this browser uploaded itself needs no download. */
export function remember(id, file) {
  addresses.set(original({ id }), Promise.resolve(URL.createObjectURL(file)));
}

function original({ id }) {
  return `files/${encodeURIComponent(id)}`;
}

function address(path) {
  if (!addresses.has(path)) {
    const coming = blob(path).then((bytes) => URL.createObjectURL(bytes));
    coming.catch(() => addresses.delete(path));
    addresses.set(path, coming);
  }
  return addresses.get(path);
}

/** A small picture is enough, unless the large one is here already. */
function preview(file) {
  return addresses.has(original(file)) ? address(original(file)) : address(file.thumb).catch(() => address(original(file)));
}

/** The files of a message. */
export function files(list) {
  return node("div", "files", ...list.map((file) => (file.note ? missing(file) : file.image ? picture(file) : download(file))));
}

/** There are no bytes: the reason stands in their place. */
function missing(file) {
  const name = node("b", "", file.name);
  name.dir = "auto";
  return node("p", "file", node("span", "", name, node("small", "", file.note)));
}

function picture(file) {
  const image = node("img");
  image.alt = file.name;
  image.decoding = "async";
  const button = node("button", "photo", image);
  button.type = "button";
  button.setAttribute("aria-label", word("open_picture", { name: file.name }));
  preview(file).then((url) => (image.src = url), () => button.replaceWith(download(file)));
  button.addEventListener("click", async () => {
    shown.src = await address(original(file));
    shown.alt = file.name;
    viewer.showModal();
  });
  return button;
}

function download(file) {
  const name = node("b", "", file.name);
  name.dir = "auto";
  const details = node("small", "", size(file.size));
  const button = node("button", "file", node("span", "sheet", icon(ARROW)), node("span", "", name, details));
  button.type = "button";
  button.title = word("download");
  button.addEventListener("click", () => save(file, details));
  return button;
}

async function save(file, details) {
  try {
    const link = node("a");
    link.href = await address(original(file));
    link.download = file.name;
    link.click();
  } catch (error) {
    details.textContent = error.message || word("offline");
  }
}
