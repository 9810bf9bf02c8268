// Files as they are shown.
type File = { kind: string; mime: string; url: string };

/** `picture`, `sound`, `film` where the browser can show it and the bytes are here; else a plain file. */
export function kindOf(file: File): "picture" | "sound" | "film" | "file" {
  if (!file.url) return "file";
  if (/^image\/(png|jpeg|gif|webp)$/.test(file.mime)) return "picture";
  if (/^audio\/(ogg|mpeg|mp4|aac|wav|webm|x-wav)$/.test(file.mime)) return "sound";
  return /^video\/(mp4|webm|ogg)$/.test(file.mime) ? "film" : "file";
}

const UNITS = ["byte", "kilobyte", "megabyte", "gigabyte"] as const;

/** `12 kB`, `3.4 MB`, in the words of the language; nothing for an unknown size. */
export function sizeOf(bytes: number, locale: string): string {
  if (!bytes) return "";
  const step = Math.min(UNITS.length - 1, Math.floor(Math.log10(bytes) / 3));
  const style = { style: "unit", unit: UNITS[step], unitDisplay: "short", maximumFractionDigits: step > 1 ? 1 : 0 } as const;
  return (bytes / 1000 ** step).toLocaleString(locale, style);
}
