// What the pages of flows reckon: the heat of steps, the places of boxes, YAML in colours, lines to copy.
import { describe, expect, it } from "vitest";
import { largest, legend, levelOf, MEASURES, type Numbers, percent, shareOf, shown } from "@/parts/flows/figures";
import { cut, KEYS, neighbour, path, place, wrap } from "@/parts/flows/layout";
import { mark, paint, snippet } from "@/parts/flows/yaml";

const none: Numbers = { entered: 0, answered: 0, wrong: 0, too_many: 0, silent: 0, back: 0, cancelled: 0, digressed: 0, handed: 0, errors: 0, lost: 0 };
const numbers = (some: Partial<Numbers>): Numbers => ({ ...none, ...some });

describe("the heat of a step", () => {
  it.each([
    [numbers({ entered: 100 }), 0],
    [numbers({ entered: 100, wrong: 5 }), 1],
    [numbers({ entered: 100, wrong: 6 }), 2],
    [numbers({ entered: 100, wrong: 16 }), 3],
    [numbers({ entered: 100, wrong: 31 }), 4],
    [numbers({ entered: 90, back: 10, wrong: 5 }), 1],
    [numbers({ wrong: 1 }), 4],
  ])("of a trouble is its share of those who stood there", (step, level) => expect(levelOf(step, "wrong", 9)).toBe(level));
  it.each([[0, 0], [1, 1], [25, 1], [26, 2], [51, 3], [76, 4], [100, 4]])("of %d entries of at most 100 is %d", (entered, level) =>
    expect(levelOf(numbers({ entered }), "entered", 100)).toBe(level),
  );
  it("is none where the number does not exist", () => {
    expect(levelOf(null, "wrong", 1)).toBeNull();
    expect(levelOf(numbers({ lost: null, entered: 3 }), "lost", 1)).toBeNull();
    expect(shareOf(numbers({ wrong: 1 }), "wrong")).toBeNull();
  });
  it("has a legend whose ranges hold every value", () => {
    for (const most of [0, 1, 2, 3, 7, 100]) {
      const ranges = legend("entered", most);
      for (let value = 0; value <= most; value++) {
        const level = levelOf(numbers({ entered: value }), "entered", most);
        const range = ranges.find((one) => one.level === level);
        expect(range && range.from <= value && value <= range.to, `${value} of ${most}`).toBe(true);
      }
    }
    for (const measure of MEASURES) expect(legend(measure, 9)[0]).toEqual({ level: 0, from: 0, to: 0 });
  });
  it("is written on the box", () => {
    expect(shown(numbers({ entered: 8, lost: 2 }), "lost", "en")).toBe("2 · 25\u00a0%");
    expect(shown(numbers({ entered: 1204 }), "entered", "en")).toBe("1,204");
    expect(shown(null, "entered", "en")).toBe("");
    expect(percent(0.034, "en")).toBe("3.4\u00a0%");
    expect(largest([null, numbers({ wrong: 3 })], "wrong")).toBe(3);
  });
});

describe("words in a box", () => {
  it.each([
    ["", []],
    ["один", ["один"]],
    ["Спросить номер заказа и телефон", ["Спросить номер", "заказа и", "телефон"]],
    ["достопримечательность", ["достопримечате", "льность"]],
    ["один два три четыре пять шесть семь восемь девять", ["один два три", "четыре пять", "шесть семь…"]],
  ])("%s", (text, lines) => expect(wrap(text, 14)).toEqual(lines));
  it("never has a line that is too long", () => {
    for (const line of wrap("🙂".repeat(40) + " а".repeat(60), 10)) expect([...line].length).toBeLessThanOrEqual(10);
    expect(cut("заказ.дней_с_доставки > 14", 10)).toBe("заказ.дне…");
  });
});

const BOXES = [1, 2, 3, 4, 5].map((number) => ({ number, label: `шаг ${number}` }));
const ARROWS = [[1, 2, "да"], [1, 3, "нет"], [2, 4, ""], [3, 4, ""], [4, 5, ""], [4, 1, "снова"], [2, 4, "второй"]] as const;
const drawn = place("Начало", BOXES, ARROWS.map(([source, target, label]) => ({ source, target, label })));

describe("a diagram", () => {
  it("has every box within its frame, and none upon another", () => {
    expect(drawn.boxes.map((one) => one.number)).toEqual([0, 1, 2, 3, 4, 5]);
    for (const one of drawn.boxes) {
      expect(one.x >= 0 && one.y >= 0 && one.x + one.width <= drawn.width && one.y + one.height <= drawn.height).toBe(true);
      for (const other of drawn.boxes.filter((it) => it.number > one.number)) {
        const apart = one.x + one.width <= other.x || other.x + other.width <= one.x || one.y + one.height <= other.y || other.y + other.height <= one.y;
        expect(apart, `${one.number} ${other.number}`).toBe(true);
      }
    }
  });
  it("has every arrow, two between the same boxes too", () => {
    expect(drawn.ways).toHaveLength(ARROWS.length + 1);
    expect(drawn.ways.every((one) => /^M[\d.]+ /.test(one.path))).toBe(true);
    expect(path([])).toBe("");
  });
  it("is walked with the arrow keys to every box", () => {
    const reached = new Set([0]);
    for (let size = 0; size < reached.size; ) {
      size = reached.size;
      for (const number of [...reached]) for (const key of KEYS) reached.add(neighbour(drawn.boxes, number, key));
    }
    expect([...reached].sort()).toEqual([0, 1, 2, 3, 4, 5]);
    expect(neighbour(drawn.boxes, 0, "ArrowDown")).toBe(1);
    expect(neighbour(drawn.boxes, 0, "ArrowUp")).toBe(0);
    const [left, right] = [neighbour(drawn.boxes, 3, "ArrowLeft"), neighbour(drawn.boxes, 2, "ArrowRight")];
    expect(left === 2 || right === 3 || neighbour(drawn.boxes, 2, "ArrowLeft") === 3).toBe(true);
  });
  it("of an empty flow is only its start", () => expect(place("Начало", [], []).boxes).toHaveLength(1));
});

describe("YAML in colours", () => {
  const kinds = (line: string): string[] => paint(line).filter((one) => one.kind !== "plain").map((one) => `${one.kind}:${one.text}`);
  it.each([
    ["  - ask: [причина, описание]  # два", ["dash:-", "key:ask", "comment:# два"]],
    ['    say: "Заказ {{ заказ.номер }}: готов"', ["key:say", 'text:"Заказ {{ заказ.номер }}: готов"']],
    ["    say: Заказ {{ номер }} готов", ["key:say", "hole:{{ номер }}"]],
    ["    min: 10", ["key:min", "value:10"]],
    ["  - {button: Брак, optional: true}", ["dash:-", "key:button", "key:optional", "value:true"]],
    ["    - after: 15m", ["dash:-", "key:after", "value:15m"]],
    ["# всё", ["comment:# всё"]],
  ])("%s", (line, found) => expect(kinds(line)).toEqual(found));
  it("loses no letter of anything", () => {
    for (const line of ["", "  ", "<script>alert(1)</script>: 'a''b' # c", '"never closed', "a: {{ b", "\t-x", "🙂: «ё» 1:2"])
      expect(paint(line).map((one) => one.text).join("")).toBe(line);
  });
  it("marks what a finding is about", () => {
    const marked = (line: string, column: number, length: number): string =>
      mark(paint(line), { line: 1, column, length }).filter((one) => one.marked).map((one) => one.text).join("");
    expect(marked("  - sag: Готово", 5, 3)).toBe("sag");
    expect(marked("  - sag: Готово", 5, 0)).toBe("sag:");
    expect(marked("🙂 - два", 5, 3)).toBe("два");
    expect(marked("коротко", 80, 5)).toBe("");
    expect(mark(paint("a: b"), { line: 1, column: 1, length: 4 }).map((one) => one.text).join("")).toBe("a: b");
  });
});

describe("a line to copy", () => {
  it.each([
    [[["words", "лыжи"]], "- words: [лыжи]"],
    [[["words", "лыжи"], ["words", '"а, б"']], '- words: [лыжи, "а, б"]'],
    [[["exact", '"🤷"'], ["words", "лыжи"]], '- words: [лыжи]\n- exact: ["🤷"]'],
    [[], ""],
  ])("%j", (phrases, line) => expect(snippet(phrases.map(([trigger, quoted]) => ({ trigger: trigger!, quoted: quoted! })))).toBe(line));
});
