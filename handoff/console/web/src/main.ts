// The console begins: who is signed in is asked first, so that no page flickers between two states.
import { createPinia } from "pinia";
import { createApp } from "vue";
import App from "./App.vue";
import { i18n } from "./i18n";
import { makeRouter, prefetch } from "./router";
import { useMe } from "./stores/me";
import "./styles/tokens.css";
import "./styles/base.css";

const app = createApp(App);
app.use(createPinia());
app.use(i18n);

const me = useMe();
const router = makeRouter(() => me.account);
const who = me.load();
prefetch(router, location.pathname); // the page comes on its way while the server says who is here
await who;
app.use(router);
app.mount("#app");
