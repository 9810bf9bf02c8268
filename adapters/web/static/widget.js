// The one-line widget: <script src="https://host/widget.js" data-channel="site" async></script>
// A bubble in a corner opens the chat in a frame. Lives in a shadow root: the site's styles and ours do not meet.
(() => {
  "use strict";
  const script = document.currentScript;
  if (!script?.dataset.channel || document.getElementById("frontline-chat")) return;
  const { channel, language = "", start = "", color = "", theme = "", title = "", greeting = "", position = "bottom-right", offset = "20" } = script.dataset;
  const texts = "%TEXTS%"; // the server puts its catalogue here: language → texts
  const spoken = [language, document.documentElement.lang].map((tag) => tag.slice(0, 2).toLowerCase()).find((tag) => tag in texts);
  const words = texts[spoken ?? navigator.languages.map((tag) => tag.slice(0, 2).toLowerCase()).find((tag) => tag in texts)] ?? texts.en;
  const page = new URL(`chat/${encodeURIComponent(channel)}`, script.src);
  page.searchParams.set("embed", location.origin);
  for (const [name, value] of Object.entries({ language: spoken, start, theme })) if (value) page.searchParams.set(name, value);
  const memory = `frontline-chat:${page.origin}:${channel}`;
  const [side, end] = [position.includes("left") ? "left" : "right", position.includes("top") ? "top" : "bottom"];
  const [across, along] = /^\d{1,3}( \d{1,3})?$/.test(offset) ? [offset.split(" ")[0], offset.split(" ").at(-1)] : ["20", "20"];
  const accent = /^#[0-9a-f]{6}$/i.test(color) ? color : "#3457d5";
  const edge = `calc(${along}px + env(safe-area-inset-${end}))`;
  const small = matchMedia("(max-width: 520px), (max-height: 480px)");

  const style = new CSSStyleSheet(); // a policy without inline styles does not mind it
  style.replaceSync(`
    :host { all: initial; }
    [hidden] { display: none !important; }
    button { position: fixed; ${side}: ${across}px; ${end}: ${edge}; z-index: 2147483000;
      display: grid; place-items: center; width: 60px; height: 60px; padding: 0; border: 0; border-radius: 50%; cursor: pointer;
      background: ${accent}; color: ${dark(accent) ? "#fff" : "#10131a"}; box-shadow: 0 10px 28px -8px rgb(20 28 45 / 55%); transition: transform .15s; }
    button:hover { transform: scale(1.05); }
    button:focus-visible { outline: 3px solid currentColor; outline-offset: -6px; }
    svg { width: 27px; height: 27px; fill: none; stroke: currentColor; stroke-width: 2; stroke-linecap: round; stroke-linejoin: round; }
    svg.say { fill: currentColor; stroke: none; }
    b { position: absolute; top: -3px; right: -3px; min-width: 22px; padding: 0 6px; border: 2px solid #fff; border-radius: 13px; box-sizing: border-box;
      background: #d92d20; color: #fff; font: 600 12px/18px system-ui, sans-serif; text-align: center; }
    iframe { position: fixed; ${side}: ${across}px; ${end}: calc(${edge} + 72px); z-index: 2147483000;
      width: min(396px, calc(100vw - 2 * ${across}px)); height: min(660px, calc(100dvh - ${along}px - 96px)); border: 0; border-radius: 20px;
      background: transparent; color-scheme: normal; box-shadow: 0 24px 60px -18px rgb(20 28 45 / 45%), 0 0 0 1px rgb(20 28 45 / 8%); }
    @media ${small.media} {
      iframe { inset: 0; width: 100vw; height: 100dvh; border-radius: 0; }
      button.open { display: none; }
    }
    @media (prefers-reduced-motion: reduce) { button { transition: none; } }
    @media (forced-colors: active) { button, b { border: 2px solid ButtonText; } }
    @media print { :host { display: none; } }
  `);

  const host = document.createElement("div");
  host.id = "frontline-chat";
  const root = host.attachShadow({ mode: "open" });
  root.adoptedStyleSheets = [style];
  const button = document.createElement("button");
  const badge = document.createElement("b");
  const icons = [icon("M4 5.5A2.5 2.5 0 0 1 6.5 3h11A2.5 2.5 0 0 1 20 5.5v7a2.5 2.5 0 0 1-2.5 2.5H11l-4.2 3.6c-.5.4-1.3.1-1.3-.6V15A2.5 2.5 0 0 1 4 12.5z", "say"), icon("M6 9.5l6 6 6-6", "")];
  badge.hidden = true;
  badge.setAttribute("aria-hidden", "true"); // the button's name says it
  button.type = "button";
  button.append(...icons, badge);
  root.append(button);
  let frame = null;
  let open = false;
  let ready = false;
  let clicked = false; // a chat that is open from before does not take the focus
  let unread = 0;

  /** Whether white reads on the colour (WCAG relative luminance). */
  function dark(hex) {
    const [red, green, blue] = [1, 3, 5].map((i) => (parseInt(hex.slice(i, i + 2), 16) / 255) ** 2.2);
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue <= 0.18;
  }

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
    frame.title = title || words.frame;
    frame.allow = "geolocation";
    frame.src = page.href;
    root.append(frame);
  }

  function say(what, values = {}) {
    frame.contentWindow.postMessage({ frontline: what, ...values }, page.origin);
  }

  function tell() {
    if (ready) say(open ? "shown" : "hidden", { focus: clicked });
  }

  // What this site remembers: that the visitor has talked to us (""), whether the chat is open (":open"), and where browsers
  // give frames of other sites no storage, the chat's own values: its secret, what was read, what is not sent yet. The chat
  // trusts the sites it lets embed it.
  function keep(key, value) {
    try {
      if (value === null) localStorage.removeItem(memory + key);
      else if (String(value).length < 65536) localStorage.setItem(memory + key, String(value));
    } catch {
      // the site forbids storage: all lives as long as the page
    }
  }

  function kept(key) {
    try {
      return localStorage.getItem(memory + key);
    } catch {
      return null;
    }
  }

  function borrowed() {
    try {
      const keys = Object.keys(localStorage).filter((key) => key.startsWith(`${memory}:`) && key !== `${memory}:open`);
      return Object.fromEntries(keys.map((key) => [key.slice(memory.length + 1), localStorage.getItem(key)]));
    } catch {
      return {};
    }
  }

  function show(wish) {
    open = wish;
    if (open) load();
    draw();
    tell();
  }

  function toggle(wish) {
    clicked = true;
    show(wish);
    if (wish) keep("", "1");
    keep(":open", wish ? "1" : null);
    (wish ? frame : button).focus();
  }

  addEventListener("message", (event) => {
    if (event.origin !== page.origin || event.source !== frame?.contentWindow) return;
    const { frontline: said, key, value, count, borrow } = event.data ?? {};
    if (said === "ready") {
      ready = true;
      say("dress", { title, greeting, color });
      if (borrow) say("kept", { values: borrowed() });
      tell();
    }
    if (said === "keep" && typeof key === "string") keep(`:${key}`, value);
    if (said === "close") toggle(false);
    if (said === "unread") (unread = Number(count) || 0), draw();
  });
  button.addEventListener("click", () => toggle(!open));
  draw();
  const attach = () => {
    document.body.append(host);
    if (kept(":open") && !small.matches) show(true); // on a phone it would hide the page that was asked for
    else if (kept("")) load(); // whoever has talked to us before sees unread answers on the bubble
    draw();
  };
  if (document.body) attach();
  else addEventListener("DOMContentLoaded", attach);
})();
