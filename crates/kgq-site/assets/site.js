// The field of search, and buttons that copy. Pages work without either.
(() => {
  "use strict";

  // What the site itself says, in its language.
  const CHINESE = {
    "copy": "复制", "copied": "已复制", "not allowed": "不允许", "Copy ": "复制 ", "Search": "搜索", "names to search": "个名称可搜索",
    "nothing is called so": "没有这样的名称", "found": "个结果", "nothing is called so; near it": "没有这样的名称；相近的有", "Loading the names…": "正在加载名称…",
    "The names could not be loaded": "名称无法加载", "Sort by ": "排序：",
  };
  const chinese = /^zh\b/i.test(document.documentElement.lang);
  const say = (english) => (chinese && CHINESE[english]) || english;

  for (const code of document.querySelectorAll("code.copy")) {
    if (!navigator.clipboard) break;
    const button = document.createElement("button");
    button.type = "button";
    button.className = "copied";
    button.textContent = say("copy");
    button.setAttribute("aria-label", say("Copy ") + code.textContent);
    button.addEventListener("click", async () => {
      try {
        await navigator.clipboard.writeText(code.textContent);
        button.textContent = say("copied");
      } catch {
        button.textContent = say("not allowed");
      }
      setTimeout(() => { button.textContent = say("copy"); }, 1500);
    });
    code.after(button);
  }

  // Whoever comes by a link to what is folded wants it open; not every browser sees to it.
  const unfold = () => {
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    const folded = target?.closest("details:not([open])");
    if (!folded) return;
    folded.open = true;
    target.scrollIntoView();
  };
  window.addEventListener("hashchange", unfold);
  unfold();

  // Tables of answers are sorted by a column at a click: numbers by value, words as the language sorts them.
  const value = (row, at) => row.cells[at]?.textContent.trim() ?? "";
  const number = (text) => Number(text.replace(/[,\s]/g, ""));
  const sort = (table, at, down) => {
    const body = table.tBodies[0];
    const rows = [...body.rows];
    const numbers = rows.every((row) => value(row, at) === "" || !Number.isNaN(number(value(row, at))));
    const order = new Intl.Collator(document.documentElement.lang, { numeric: true }).compare;
    const compare = (a, b) => (numbers ? number(a) - number(b) : order(a, b));
    // What has no value stands last either way.
    rows.sort((one, other) => {
      const [a, b] = [value(one, at), value(other, at)];
      if (a === "" || b === "") return (a === "") - (b === "");
      return down ? compare(b, a) : compare(a, b);
    });
    body.append(...rows);
    [...table.tHead.rows[0].cells].forEach((head, i) => {
      if (i === at) head.setAttribute("aria-sort", down ? "descending" : "ascending");
      else head.removeAttribute("aria-sort");
    });
  };
  window.kgqTables = (within) => {
    for (const table of within.querySelectorAll("table.answer")) {
      if (!table.tHead || table.tBodies[0].rows.length < 2) continue;
      [...table.tHead.rows[0].cells].forEach((head, at) => {
        const name = head.firstChild;
        if (!name || head.querySelector("button")) return;
        const button = document.createElement("button");
        button.type = "button";
        button.className = "sort";
        button.title = say("Sort by ") + name.textContent;
        name.replaceWith(button);
        button.append(name);
        button.addEventListener("click", () => sort(table, at, head.getAttribute("aria-sort") === "ascending"));
      });
    }
  };
  window.kgqTables(document);

  const MOST = 40;

  let data = null;
  let folded = [];
  // A server lets a reader choose a language, which links carry on.
  const chosenLanguage = location.protocol === "file:" ? null : new URLSearchParams(location.search).get("lang");
  const root = new URL("..", document.currentScript.src).href;
  const waiting = [];
  // The names are a script, because a page that was opened from disk can load nothing else; they come when they are first wanted.
  const whenLoaded = (then) => {
    if (data) { then(true); return; }
    waiting.push(then);
    if (waiting.length > 1 || document.querySelector('script[src$="search-data.js"]')) return;
    const script = document.createElement("script");
    script.src = root + "assets/search-data.js";
    script.addEventListener("error", () => { script.remove(); waiting.splice(0).forEach((each) => each(false)); });
    document.head.append(script);
  };
  window.kgqSearch = (loaded) => {
    data = loaded;
    folded = data.entries.map(([, , names, curie]) => [...names, ...(curie ? [curie] : [])].map(kgqNames.fold));
    waiting.splice(0).forEach((each) => each(true));
  };

  // A field with a list below it: arrows choose, Enter goes there, Escape closes.
  const combobox = (field, list, state, stays) => {
    let chosen = -1;
    const options = () => [...list.querySelectorAll('[role="option"]')];
    const choose = (index) => {
      const all = options();
      chosen = all.length === 0 ? -1 : (index + all.length) % all.length;
      all.forEach((item, i) => item.setAttribute("aria-selected", String(i === chosen)));
      if (chosen >= 0) {
        field.setAttribute("aria-activedescendant", all[chosen].id);
        all[chosen].scrollIntoView({ block: "nearest" });
      } else field.removeAttribute("aria-activedescendant");
    };
    const close = () => {
      list.replaceChildren();
      list.hidden = !stays;
      field.setAttribute("aria-expanded", "false");
      choose(-1);
    };
    const show = () => {
      const { hits, near, empty } = kgqNames.find(folded, field.value);
      close();
      if (empty) { state.textContent = stays ? data.entries.length.toLocaleString(chinese ? "zh" : "en") + " " + say("names to search") : ""; return; }
      state.textContent = hits.length === 0 ? say("nothing is called so") : near ? say("nothing is called so; near it") : hits.length + " " + say("found");
      hits.slice(0, stays ? MOST : 10).forEach(([, i, at], number) => {
        const [stem, kind, names] = data.entries[i];
        const item = document.createElement("li");
        item.setAttribute("role", "none");
        const link = document.createElement("a");
        link.id = list.id + "-" + number;
        link.setAttribute("role", "option");
        link.setAttribute("aria-selected", "false");
        link.href = root + stem + (data.ending ?? ".html");
        if (chosenLanguage) link.search += (link.search ? "&" : "?") + "lang=" + encodeURIComponent(chosenLanguage);
        link.tabIndex = -1;
        link.append(names[0]);
        const more = document.createElement("span");
        more.className = "muted";
        more.textContent = [at > 0 && at < names.length ? names[at] : "", data.kinds[kind]].filter(Boolean).join(" · ");
        link.append(more);
        item.append(link);
        list.append(item);
      });
      list.hidden = !stays && hits.length === 0;
      field.setAttribute("aria-expanded", String(hits.length > 0));
    };
    const search = () => {
      if (!data) state.textContent = say("Loading the names…");
      whenLoaded((came) => { if (came) show(); else state.textContent = say("The names could not be loaded"); });
    };
    for (const [name, value] of [["role", "combobox"], ["aria-autocomplete", "list"], ["aria-controls", list.id], ["aria-expanded", "false"]]) field.setAttribute(name, value);
    list.setAttribute("role", "listbox");
    list.setAttribute("aria-label", say("Search"));
    field.addEventListener("input", search);
    field.addEventListener("keydown", (event) => {
      if (event.isComposing) return;
      if (event.key === "ArrowDown" || event.key === "ArrowUp") {
        event.preventDefault();
        const down = event.key === "ArrowDown";
        choose(chosen < 0 ? (down ? 0 : -1) : chosen + (down ? 1 : -1));
      } else if (event.key === "Enter") {
        const item = options()[Math.max(0, chosen)];
        if (item) { event.preventDefault(); location.href = item.href; }
      } else if (event.key === "Escape") {
        event.preventDefault();
        field.value = "";
        if (data) show(); else close();
      }
    });
    if (!stays) {
      document.addEventListener("click", (event) => { if (!list.contains(event.target) && event.target !== field) close(); });
    }
    return search;
  };

  let field = document.getElementById("search");
  if (field) {
    const search = combobox(field, document.getElementById("found"), document.getElementById("search-state"), true);
    field.disabled = false;
    const asked = new URLSearchParams(location.search).get("q") ?? (location.hash.startsWith("#q=") ? decodeURIComponent(location.hash.slice(3)) : "");
    if (asked) field.value = asked;
    search();
  } else {
    const box = document.createElement("div");
    box.className = "find";
    box.setAttribute("role", "search");
    field = document.createElement("input");
    field.type = "search";
    field.placeholder = say("Search");
    field.autocomplete = "off";
    field.spellcheck = false;
    field.setAttribute("aria-label", say("Search"));
    const list = document.createElement("ol");
    list.id = "found";
    list.hidden = true;
    const state = document.createElement("p");
    state.className = "muted";
    state.setAttribute("role", "status");
    combobox(field, list, state, false);
    box.append(field, state, list);
    document.querySelector("header.site")?.append(box);
  }
  document.addEventListener("keydown", (event) => {
    if (event.key === "/" && !event.ctrlKey && !event.metaKey && !event.altKey && !event.target.closest?.("input, textarea, select, [contenteditable]")) {
      event.preventDefault();
      field.focus();
    }
  });
})();
