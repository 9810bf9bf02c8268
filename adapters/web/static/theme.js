// Light or dark: as the visitor chose, else as the site or the channel asks, else as the system is. Runs before the first
// paint, so it is no module. Paper is always light.
(() => {
  "use strict";
  const root = document.documentElement;
  const key = `frontline:${location.pathname.replace(/\/+$/, "")}:theme`;
  const system = matchMedia("(prefers-color-scheme: dark)");
  const paper = matchMedia("print");
  let chosen = "";

  function read() {
    try {
      chosen = localStorage.getItem(key) ?? "";
    } catch {
      // no storage here: the site around us may keep it, or the choice lives as long as the page
    }
  }

  function choose(theme) {
    chosen = theme;
    try {
      localStorage.setItem(key, theme);
    } catch {
      lend();
    }
    draw();
  }

  function lend() {
    dispatchEvent(new CustomEvent("theme", { detail: chosen }));
  }

  function wished() {
    const wish = chosen || root.dataset.wish;
    return wish === "dark" || (wish !== "light" && system.matches) ? "dark" : "light";
  }

  function draw() {
    root.dataset.theme = paper.matches ? "light" : wished();
    document.getElementById("theme")?.setAttribute("aria-pressed", String(wished() === "dark"));
  }

  for (const query of [system, paper]) query.addEventListener("change", draw);
  addEventListener("storage", (event) => event.key === key && (read(), draw()));
  // What is chosen before we hear what was kept is newer than that.
  addEventListener("theme-kept", (event) => (chosen ? lend() : ((chosen = event.detail), draw())));
  addEventListener("DOMContentLoaded", () => {
    document.getElementById("theme").addEventListener("click", () => choose(wished() === "dark" ? "light" : "dark"));
    draw();
  });
  read();
  draw();
})();
