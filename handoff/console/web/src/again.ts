// Code of the console that cannot be had: the server is away for a moment, or serves another build since it was upgraded.
const PAUSE_MS = 2_000;
let planned: ReturnType<typeof setTimeout> | undefined;

/** Open an address anew, with whatever build there is then, as soon as the server answers. Only the last address counts. */
export function openAnew(address: string): void {
  clearTimeout(planned);
  planned = setTimeout(() => void tryToOpen(address), PAUSE_MS);
}

/** The page is another by now: nobody waits for the address any more. */
export function stayHere(): void {
  clearTimeout(planned);
}

async function tryToOpen(address: string): Promise<void> {
  const served = await fetch(address, { cache: "no-store" }).then((answer) => answer.ok, () => false);
  if (served) location.assign(address);
  else openAnew(address);
}

/** Nothing of the console is there yet, not even its words: say so in both languages, and go on trying. */
export function beginAnew(place: Element | null): void {
  const said = document.createElement("p");
  said.setAttribute("role", "alert");
  said.textContent = "Консоль не загрузилась, пробуем ещё раз. / The console did not load, trying again.";
  place?.replaceChildren(said);
  openAnew(location.href);
}
