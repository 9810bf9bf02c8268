// Built into ../dist, which the gateway serves under /console/: hashed names, no inline script or style, no other host.
import { fileURLToPath } from "node:url";
import { brotliCompressSync } from "node:zlib";
import vueI18n from "@intlify/unplugin-vue-i18n/vite";
import vue from "@vitejs/plugin-vue";
import type { HtmlTagDescriptor, Plugin } from "vite";
import { defineConfig } from "vitest/config";

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const BASE = "/console/";

// On a slow network each further file costs a round trip, so there are few: what begins, the frame of every page, what pages
// share, the page itself, the words of one language. Charts and diagrams are large and for few pages: they stay by themselves.
const BEGIN = /src\/(begin|again|first|routes|languages|api\/early)\.ts|vite\/preload-helper|rolldown\/runtime/;
const FRAME = /node_modules\/(@vue|vue|vue-i18n|@intlify|vue-router|pinia)\/|src\/(main\.ts|App\.vue)/;
const SHARED = /^(?!.*(node_modules\/(echarts|zrender|@dagrejs)|parts\/Chart|src\/locales)).*/;

/** What runs first asks for the frame by name, so it is no part of it; yet both set out together with the page. */
const frameAtOnce: Plugin = {
  name: "frame-at-once",
  transformIndexHtml: {
    order: "post",
    handler(_, { bundle = {} }) {
      const main = Object.values(bundle).find((one) => one.type === "chunk" && one.isDynamicEntry && one.name === "main");
      if (main?.type !== "chunk") throw new Error("there is no chunk of main.ts");
      const files = [main.fileName, ...main.imports];
      const styles = files.flatMap((name) => [...(bundle[name]?.type === "chunk" ? (bundle[name].viteMetadata?.importedCss ?? []) : [])]);
      const link = (rel: string) => (name: string): HtmlTagDescriptor => ({ tag: "link", attrs: { rel, crossorigin: true, href: BASE + name } });
      return [...files.map(link("modulepreload")), ...styles.map(link("stylesheet"))];
    },
  },
};

const SMALL = 1024; // bytes: as in gateway/console.py, which serves what is packed here

/** Every text also as brotli, a sixth smaller than gzip: made once here, as it takes long. */
const packed: Plugin = {
  name: "packed",
  apply: "build",
  enforce: "post",
  generateBundle: {
    order: "post",
    handler(_, bundle) {
      for (const [name, file] of Object.entries(bundle)) {
        const body = Buffer.from(file.type === "chunk" ? file.code : file.source);
        if (!name.startsWith("assets/") || body.length <= SMALL) continue;
        this.emitFile({ type: "asset", fileName: `${name}.br`, source: brotliCompressSync(body) });
      }
    },
  },
};

export default defineConfig({
  base: BASE,
  plugins: [vue(), vueI18n({ include: here("./src/locales/*.json"), strictMessage: true, escapeHtml: true, dropMessageCompiler: true }), frameAtOnce, packed],
  resolve: { alias: { "@": here("./src") } },
  // What the pages are not written with stays out: https://vuejs.org/api/compile-time-flags.html, https://vue-i18n.intlify.dev/guide/advanced/optimization.html
  define: { __VUE_OPTIONS_API__: false, __VUE_PROD_DEVTOOLS__: false, __VUE_I18N_LEGACY_API__: false, __VUE_I18N_FULL_INSTALL__: false, __INTLIFY_PROD_DEVTOOLS__: false },
  build: {
    outDir: "../dist",
    emptyOutDir: true,
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rolldownOptions: {
      output: {
        codeSplitting: {
          groups: [
            { name: "begin", test: BEGIN, priority: 3 },
            { name: "frame", test: FRAME, priority: 2 },
            { name: "shared", test: SHARED, priority: 1, minShareCount: 2 },
          ],
        },
      },
    },
  },
  server: { proxy: { "/api": "http://127.0.0.1:8080" } },
  test: { environment: "jsdom", include: ["tests/**/*.test.ts"], testTimeout: 20_000 },
});
