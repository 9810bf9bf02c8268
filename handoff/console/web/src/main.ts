// The console: who is signed in is asked first, so that no page flickers between two states.
import { createPinia } from "pinia";
import { createApp } from "vue";
import App from "./App.vue";
import { i18n } from "./i18n";
import { makeRouter } from "./router";
import { useMe } from "./stores/me";
import "./styles/tokens.css";
import "./styles/base.css";

const app = createApp(App);
app.use(createPinia());
app.use(i18n);

const me = useMe();
await me.load();
app.use(makeRouter(() => me.account));
app.mount("#app");
