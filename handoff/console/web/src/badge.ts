// The count of what is unread in the icon of the window.
import plain from "./icon.svg";

const SIZE = 32;
let shown = -1;

export async function showCount(count: number): Promise<void> {
  const dots = Math.min(count, 100);
  if (dots === shown) return;
  shown = dots;
  const link = document.querySelector<HTMLLinkElement>('link[rel="icon"]');
  if (link) link.href = count > 0 ? await drawn(count) : plain;
}

async function drawn(count: number): Promise<string> {
  const canvas = Object.assign(document.createElement("canvas"), { width: SIZE, height: SIZE });
  const pen = canvas.getContext("2d");
  if (!pen) return plain;
  const picture = Object.assign(new Image(SIZE, SIZE), { src: plain });
  await picture.decode().then(() => pen.drawImage(picture, 0, 0, SIZE, SIZE), () => undefined); // prettier-ignore
  pen.fillStyle = "#c62828";
  pen.beginPath();
  pen.arc(22, 10, 10, 0, 2 * Math.PI);
  pen.fill();
  pen.fillStyle = "#ffffff";
  pen.font = `bold ${count > 9 ? 11 : 14}px sans-serif`;
  [pen.textAlign, pen.textBaseline] = ["center", "middle"];
  pen.fillText(count > 99 ? "99" : String(count), 22, 11);
  return canvas.toDataURL("image/png");
}
