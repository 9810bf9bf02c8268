// The dialogue of four messages over a session object; the text to answer with.
const PHONE = /^\+?[78][\d\s()-]{9,14}$/;
const ORDER = /^(?:ORD-)?(\d{6,8})$/;

export function answer(session, text) {
  switch (session.step) {
    case "name":
      session.name = text;
      session.step = "phone";
      return "На какой телефон оформлен заказ?";
    case "phone":
      if (!PHONE.test(text)) return "Не получилось разобрать телефон. На какой телефон оформлен заказ?";
      session.phone = text.replace(/\D/g, "");
      session.step = "order";
      return "Напишите номер заказа. Он есть в письме о покупке.";
    case "order": {
      const found = ORDER.exec(text);
      if (!found) return "Не получилось разобрать номер. Напишите номер заказа.";
      const name = session.name;
      for (const key of Object.keys(session)) delete session[key];
      return `Готово, ${name}! Заявка по заказу ${found[1]} принята.`;
    }
    default:
      if (!text.toLowerCase().includes("заявк")) return "Не понял. Напишите «заявка».";
      session.step = "name";
      return "Как вас зовут?";
  }
}
