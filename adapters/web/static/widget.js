// The one-line widget: <script src="https://host/widget.js" data-channel="site" async></script>
// A bubble in the corner opens the chat in a frame. Lives in a shadow root: the site's styles and ours do not meet.
(() => {
  "use strict";
  const script = document.currentScript;
  if (!script || !script.dataset.channel || document.getElementById("frontline-chat")) return;
  const { channel, language = "", start = "", color = "", side = "right" } = script.dataset;
  const texts = "%TEXTS%"; // the server puts its catalogue here: language → texts
  const wish = (language || document.documentElement.lang || navigator.language).slice(0, 2).toLowerCase();
  const words = texts[wish] ?? texts.en;
  const page = new URL(`chat/${encodeURIComponent(channel)}`, script.src);
  page.searchParams.set("embed", location.origin);
  if (language) page.searchParams.set("language", language);
  if (start) page.searchParams.set("start", start);
  const memory = `frontline-chat:${page.origin}:${channel}`;

  const style = new CSSStyleSheet();
  style.replaceSync(`
    :host { all: initial; }
    [hidden] { display: none !important; }
    button { position: fixed; ${side === "left" ? "left" : "right"}: 20px; bottom: calc(20px + env(safe-area-inset-bottom)); z-index: 2147483000;
      display: grid; place-items: center; width: 60px; height: 60px; padding: 0; border: 0; border-radius: 50%; cursor: pointer;
      background: ${/^#[0-9a-f]{6}$/i.test(color) ? color : "#3457d5"}; color: #fff; box-shadow: 0 10px 28px -8px rgb(20 28 45 / 55%); transition: transform .15s; }
    button:hover { transform: scale(1.05); }
    button:focus-visible { outline: 3px solid #fff; outline-offset: -6px; }
    svg { width: 27px; height: 27px; fill: none; stroke: currentColor; stroke-width: 2; stroke-linecap: round; stroke-linejoin: round; }
    svg.say { fill: currentColor; stroke: none; }
    b { position: absolute; top: -3px; right: -3px; min-width: 22px; padding: 0 6px; border: 2px solid #fff; border-radius: 13px; box-sizing: border-box;
      background: #d92d20; color: #fff; font: 600 12px/18px system-ui, sans-serif; text-align: center; }
    iframe { position: fixed; ${side === "left" ? "left" : "right"}: 20px; bottom: calc(92px + env(safe-area-inset-bottom)); z-index: 2147483000;
      width: 396px; height: min(660px, calc(100dvh - 116px)); border: 0; border-radius: 20px; background: transparent; color-scheme: normal;
      box-shadow: 0 24px 60px -18px rgb(20 28 45 / 45%), 0 0 0 1px rgb(20 28 45 / 8%); }
    @media (max-width: 520px) {
      iframe { inset: 0; width: 100vw; height: 100dvh; border-radius: 0; }
      button.open { display: none; }
    }
    @media (prefers-reduced-motion: reduce) { button { transition: none; } }
  `);

  const host = document.createElement("div");
  host.id = "frontline-chat";
  const root = host.attachShadow({ mode: "open" });
  root.adoptedStyleSheets = [style];
  const button = document.createElement("button");
  const badge = document.createElement("b");
  const icons = [icon("M4 5.5A2.5 2.5 0 0 1 6.5 3h11A2.5 2.5 0 0 1 20 5.5v7a2.5 2.5 0 0 1-2.5 2.5H11l-4.2 3.6c-.5.4-1.3.1-1.3-.6V15A2.5 2.5 0 0 1 4 12.5z", "say"), icon("M6 9.5l6 6 6-6", "")];
  badge.hidden = true;
  button.type = "button";
  button.append(...icons, badge);
  root.append(button);
  let frame = null;
  let open = false;
  let ready = false;
  let unread = 0;

  function icon(path, name) {
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    const line = document.createElementNS("http://www.w3.org/2000/svg", "path");
    svg.setAttribute("viewBox", "0 0 24 24");
    svg.setAttribute("aria-hidden", "true");
    if (name) svg.setAttribute("class", name);
    line.setAttribute("d", path);
    svg.append(line);
    return svg;
  }

  function draw() {
    icons[0].toggleAttribute("hidden", open);
    icons[1].toggleAttribute("hidden", !open);
    badge.hidden = open || !unread;
    badge.textContent = unread > 99 ? "99+" : String(unread);
    button.classList.toggle("open", open);
    button.setAttribute("aria-expanded", String(open));
    button.setAttribute("aria-label", (open ? words.close : words.open) + (unread && !open ? `. ${words.unread.replace("{n}", unread)}` : ""));
    if (frame) frame.hidden = !open;
  }

  function load() {
    if (frame) return;
    frame = document.createElement("iframe");
    frame.title = words.frame;
    frame.allow = "geolocation";
    frame.src = page.href;
    root.append(frame);
  }

  function tell() {
    if (ready) frame.contentWindow.postMessage({ frontline: open ? "shown" : "hidden" }, page.origin);
  }

  // Some browsers give frames of other sites no storage. Then this page keeps the chat's values: its secret, what was read,
  // what is not sent yet. The chat trusts the sites it lets embed it.
  function keep(key, value) {
    try {
      if (value === null) localStorage.removeItem(`${memory}:${key}`);
      else if (String(value).length < 65536) localStorage.setItem(`${memory}:${key}`, String(value));
    } catch {
      // no storage here either: the chat lives as long as the page
    }
  }

  function kept() {
    try {
      const keys = Object.keys(localStorage).filter((key) => key.startsWith(`${memory}:`));
      return Object.fromEntries(keys.map((key) => [key.slice(memory.length + 1), localStorage.getItem(key)]));
    } catch {
      return {};
    }
  }

  function toggle(wish) {
    open = wish;
    if (open) {
      load();
      remember();
    }
    draw();
    tell();
    if (open) frame.focus();
    else button.focus();
  }

  function remember() {
    try {
      localStorage.setItem(memory, "1");
    } catch {
      // the site forbids storage: the badge then waits for the first click
    }
  }

  function known() {
    try {
      return localStorage.getItem(memory) === "1";
    } catch {
      return false;
    }
  }

  addEventListener("message", (event) => {
    if (event.origin !== page.origin || event.source !== frame?.contentWindow) return;
    const said = event.data?.frontline;
    if (said === "ready") {
      ready = true;
      if (event.data.borrow) frame.contentWindow.postMessage({ frontline: "kept", values: kept() }, page.origin);
      tell();
    }
    if (said === "keep" && typeof event.data.key === "string") keep(event.data.key, event.data.value);
    if (said === "close") toggle(false);
    if (said === "unread") (unread = Number(event.data.count) || 0), draw();
  });
  button.addEventListener("click", () => toggle(!open));
  draw();
  const attach = () => {
    document.body.append(host);
    if (known()) load(); // whoever has talked to us before sees unread answers on the bubble
    draw();
  };
  if (document.body) attach();
  else addEventListener("DOMContentLoaded", attach);
})();
