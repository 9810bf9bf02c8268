// Runs first, and is small: words, page and first answers set out together with the frame, not one after another.
import { beginAnew } from "./again";
import { askEarly } from "./api/early";
import { firstOf } from "./first";
import { likelyLanguage, wordsOf } from "./languages";
import { placeOf } from "./routes";

const ignore = (): undefined => undefined; // what fails now is asked for again by who needs it

askEarly("/me");
wordsOf(likelyLanguage()).catch(ignore);
const place = placeOf(location.pathname.replace(/^\/console/, "") || "/");
if (place) {
  for (const part of [place.component as () => Promise<unknown>, place.meta?.also]) part?.().catch(ignore);
  for (const path of firstOf(String(place.name), new URLSearchParams(location.search))) askEarly(path);
}
import("./main").catch(() => beginAnew(document.getElementById("app")));
