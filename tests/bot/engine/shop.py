"""The flows of the language's own examples."""

from __future__ import annotations

FIND_ORDER = """
flow: Поиск заказа
about: Спрашивает номер и телефон, находит заказ в магазине. Вызывается из других сценариев.
gives: [заказ]
fields:
  номер_заказа:
    label: Номер заказа
    type: text
    pattern: '(?:ORD-)?(\\d{6,8})'
    ask: Напишите номер заказа. Он есть в письме о покупке.
    example: ORD-123456
  телефон:
    label: Телефон
    type: phone
    ask: На какой телефон оформлен заказ?
    from: client.phone
    private: true
steps:
  - step: спросить номер
    ask: [номер_заказа, телефон]
  - request: shop.get_order
    with: {number: "{{ номер_заказа }}", phone: "{{ телефон }}"}
    save: заказ
    missing:
      - say: Заказ {{ номер_заказа }} с таким телефоном не нашёлся. Проверим ещё раз.
      - goto: спросить номер
    failed:
      - fail: магазин не отвечает
  - end: заказ найден
"""

ORDER_RETURN = """
flow: Возврат товара
about: Собирает данные о возврате и создаёт заявку.
triggers:
  - button: Вернуть товар
  - words: [вернуть товар, вернуть заказ, вернуть деньги, оформить возврат]
  - link: возврат-qr
takes: {заказ: {type: shop.get_order, optional: true}}
fields:
  причина:
    label: Причина
    type: choice
    ask: Почему возвращаете?
    options: [Брак или поломка, Привезли не то, Не подошло]
  описание:
    label: Описание
    type: text
    ask: Опишите, что случилось.
    min: 10
    wrong: Напишите чуть подробнее, хотя бы одно предложение.
  фото:
    label: Фото товара
    type: photo
    ask: Пришлите до пяти фото, чтобы было видно проблему.
    max_files: 5
  телефон:
    label: Телефон
    type: phone
    ask: По какому телефону с вами связаться?
    from: client.phone
    keep: client.phone
    private: true
steps:
  - if: not заказ
    then:
      - call: find_order
  - if: заказ.дней_с_доставки > 14
    then:
      - say: >-
          Заказ доставлен {{ заказ.дней_с_доставки | plural("день", "дня", "дней") }} назад.
          Срок возврата без причины — 14 дней.
      - choose: Как поступим?
        options:
          - button: Это брак
          - button: Позвать оператора
            then:
              - call: to_operator
              - end: передано людям
  - ask: [причина, описание]
  - if: причина != "Не подошло"
    then:
      - ask: фото
  - ask: телефон
  - confirm: [причина, описание, телефон]
  - ticket: returns
    title: Возврат заказа {{ заказ.номер }}
    text: "{{ описание }}"
    with:
      Номер заказа: "{{ заказ.номер }}"
      Причина: "{{ причина }}"
      Телефон: "{{ телефон }}"
    attach: [фото]
    save: заявка
  - say: Готово! Заявка **{{ заявка.номер }}** создана, ответим в течение дня.
  - end: заявка создана
"""

BILLING = """
flow: Вопрос по оплате
about: В рабочее время передаёт в линию «Расчёты», в остальное создаёт заявку.
triggers:
  - button: Вопрос по оплате
  - words: [вопрос оплата, счёт на оплату, акт сверки, двойное списание, закрывающие документы]
  - event: webhook.invoice_overdue
fields:
  тема:
    label: Тема
    type: choice
    ask: О чём вопрос?
    options: [Счёт или акт, Платёж не дошёл, Списали дважды, Другое]
  инн: {label: ИНН, type: inn, ask: "ИНН вашей организации?", from: client.inn, keep: client.inn}
  вопрос: {label: Вопрос, type: text, ask: "Опишите вопрос и, если есть, номер счёта.", max: 2000}
steps:
  - ask: [тема, инн, вопрос]
  - set: {срочность: "{{ 'высокая' if тема == 'Списали дважды' else 'обычная' }}"}
  - handoff: billing
    note: |
      {{ тема }} ({{ срочность }}). ИНН {{ инн }}.
      {{ вопрос }}
    closed:
      - say: "Линия «Расчёты» откроется {{ line.billing.opens_at | time }}. Оформлю заявку."
      - ticket: billing
        title: "{{ тема }}, ИНН {{ инн }}"
        text: "{{ вопрос }}"
        with: {ИНН: "{{ инн }}", Вопрос: "{{ вопрос }}", Срочность: "{{ срочность }}"}
        save: заявка
      - say: Заявка {{ заявка.номер }} создана, ответим в рабочее время.
      - end: заявка в нерабочее время
  - choose: Вопрос решён?
    options:
      - button: Да
        then: [{end: решено оператором}]
      - button: Нет
        then: [{end: не решено}]
"""

HOURS = """
flow: Часы работы
triggers:
  - button: Часы работы
  - words: [часы работы, когда открыты]
steps:
  - say: Мы работаем с 9 до 18.
  - end: показаны часы
"""
SHOP = {"find_order": FIND_ORDER, "order_return": ORDER_RETURN, "billing": BILLING, "hours": HOURS}
