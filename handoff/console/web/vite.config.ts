// Built into ../dist, which the gateway serves under /console/: hashed names, no inline script or style, no other host.
import { fileURLToPath } from "node:url";
import vueI18n from "@intlify/unplugin-vue-i18n/vite";
import vue from "@vitejs/plugin-vue";
import { defineConfig } from "vitest/config";

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

const FRAME = /node_modules\/(@vue|vue|vue-i18n|@intlify|vue-router|pinia)\/|src\/(?!pages|parts\/(?!Icon|Rail|Toasts|PresencePick)|locales)/;

export default defineConfig({
  base: "/console/",
  plugins: [vue(), vueI18n({ include: here("./src/locales/*.json"), strictMessage: true, escapeHtml: true })],
  resolve: { alias: { "@": here("./src") } },
  build: {
    outDir: "../dist",
    emptyOutDir: true,
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    // What every page needs comes in one piece: on a slow network each further file costs a round trip.
    rolldownOptions: { output: { codeSplitting: { groups: [{ name: "frame", test: FRAME }] } } },
  },
  server: { proxy: { "/api": "http://127.0.0.1:8080" } },
  test: { environment: "jsdom", include: ["tests/**/*.test.ts"], testTimeout: 20_000 },
});
