// What a page of a server does besides: asks queries without leaving the page, completes names, remembers what was asked, and tells when
// the graph changed. Forms and links work without it.
(() => {
  "use strict";

  const CHINESE = {
    "Asking…": "正在查询…", "Stopped": "已停止", "The server cannot be reached": "无法连接服务器", "The server refused": "服务器拒绝",
    "The graph has changed.": "图已更新。", "Load this page again": "重新加载本页", "Its files cannot be read as they are now": "文件目前无法读取",
    "Suggestions": "建议", "Forget them": "清除",
  };
  const chinese = /^zh\b/i.test(document.documentElement.lang);
  const say = (english) => (chinese && CHINESE[english]) || english;
  const root = new URL("..", document.currentScript.src).href;
  const language = document.documentElement.lang;
  const chosen = new URLSearchParams(location.search).get("lang");
  const make = (name, kind, content) => {
    const out = document.createElement(name);
    if (kind) out.className = kind;
    if (content !== undefined) out.textContent = content;
    return out;
  };

  // A line above the page, which a reader of screens is told of.
  const banner = (words, button) => {
    const known = document.querySelector(".banner");
    const line = known ?? make("p", "banner");
    line.setAttribute("role", "status");
    line.replaceChildren(words, ...(button ? [" ", button] : []));
    if (!known) document.querySelector("header.site").before(line);
  };
  const changed = () => {
    const again = make("button", "", say("Load this page again"));
    again.type = "button";
    again.addEventListener("click", () => location.reload());
    banner(say("The graph has changed."), again);
  };
  // A page that nobody sees holds no connection: a browser has few for one server.
  let events = null;
  const listen = () => {
    if (document.hidden || events) return;
    events = new EventSource(root + "events");
    events.addEventListener("graph", changed);
    events.addEventListener("mended", changed);
    events.addEventListener("broken", (event) => banner(say("Its files cannot be read as they are now") + ": " + event.data));
  };
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) { events?.close(); events = null; } else listen();
  });
  window.addEventListener("pagehide", () => { events?.close(); events = null; });
  window.addEventListener("load", listen);

  // Where the caret of a field stands in it, by a copy of the text before it.
  const caret = (field) => {
    const copy = make("div", "mirror");
    const look = getComputedStyle(field);
    for (const name of ["font", "letterSpacing", "padding", "borderWidth", "lineHeight", "tabSize"]) copy.style[name] = look[name];
    copy.style.width = field.clientWidth + "px";
    copy.style.whiteSpace = field.tagName === "TEXTAREA" ? "pre-wrap" : "pre";
    copy.textContent = field.value.slice(0, field.selectionStart);
    const mark = make("span", "", "\u200b");
    copy.append(mark);
    field.after(copy);
    const place = { left: mark.offsetLeft - field.scrollLeft, top: mark.offsetTop + mark.offsetHeight - field.scrollTop };
    copy.remove();
    return { left: Math.min(place.left, Math.max(0, field.clientWidth - 240)), top: Math.min(place.top, field.clientHeight) };
  };

  const KEYWORDS = "SELECT CONSTRUCT ASK DESCRIBE WHERE FILTER OPTIONAL UNION MINUS GRAPH VALUES BIND ORDER BY GROUP HAVING LIMIT OFFSET DISTINCT PREFIX EXISTS COUNT REDUCED".split(" ");

  // Names of things below a field, as they are typed in any language; what is chosen stands there as a CURIE, or as an IRI.
  const suggest = (field, wordBefore, keywords, written) => {
    const list = make("ul", "suggest");
    list.id = field.id + "-names";
    list.setAttribute("role", "listbox");
    list.setAttribute("aria-label", say("Suggestions"));
    list.hidden = true;
    const around = make("div", "around");
    field.before(around);
    around.append(field, list);
    for (const [name, value] of [["aria-autocomplete", "list"], ["aria-controls", list.id]]) field.setAttribute(name, value);
    if (field.tagName === "INPUT") { field.setAttribute("role", "combobox"); field.setAttribute("aria-expanded", "false"); }
    let chosen = -1;
    let timer = 0;
    let asked = null;
    const items = () => [...list.children];
    const close = () => {
      clearTimeout(timer);
      asked?.abort();
      list.hidden = true;
      list.replaceChildren();
      chosen = -1;
      field.removeAttribute("aria-activedescendant");
      if (field.tagName === "INPUT") field.setAttribute("aria-expanded", "false");
    };
    const choose = (index) => {
      const all = items();
      chosen = (index + all.length) % all.length;
      all.forEach((item, i) => item.setAttribute("aria-selected", String(i === chosen)));
      field.setAttribute("aria-activedescendant", all[chosen].id);
      all[chosen].scrollIntoView({ block: "nearest" });
    };
    const take = (item) => {
      const word = wordBefore(field);
      const end = field.selectionStart;
      field.setRangeText(item.dataset.value, end - word.length, end, "end");
      close();
      field.focus();
      field.dispatchEvent(new Event("change", { bubbles: true }));
    };
    const offer = (all) => {
      list.replaceChildren(...all.map(({ value, label, about }, i) => {
        const item = make("li");
        item.id = list.id + i;
        item.setAttribute("role", "option");
        item.setAttribute("aria-selected", "false");
        item.dataset.value = value;
        item.append(make("span", "", label), make("span", "muted", about));
        item.addEventListener("mousedown", (event) => { event.preventDefault(); take(item); });
        return item;
      }));
      list.hidden = all.length === 0;
      if (field.tagName === "INPUT") field.setAttribute("aria-expanded", String(!list.hidden));
      if (list.hidden) return;
      const place = caret(field);
      list.style.left = place.left + "px";
      list.style.top = place.top + "px";
    };
    const look = async () => {
      const word = wordBefore(field);
      asked?.abort();
      asked = new AbortController();
      const own = keywords ? KEYWORDS.filter((each) => word.length > 1 && each.startsWith(word.toUpperCase()) && each !== word) : [];
      const first = own.map((each) => ({ value: each, label: each, about: "" }));
      try {
        const address = root + "find?" + new URLSearchParams({ text: word, lang: language, limit: "10" });
        const response = await fetch(address, { headers: { accept: "application/json" }, signal: asked.signal });
        const found = response.ok ? (await response.json()).found : [];
        offer([...first, ...found.map(({ iri, curie, label }) => ({ value: written(curie, iri), label: label ?? curie ?? iri, about: label ? curie ?? iri : "" }))].slice(0, 12));
      } catch (error) {
        if (error.name !== "AbortError") offer(first);
      }
    };
    const soon = (now) => {
      clearTimeout(timer);
      const word = wordBefore(field);
      const least = /\p{Script=Han}/u.test(word) ? 1 : 2;
      if (word.length < (now ? 1 : least)) { close(); return; }
      timer = setTimeout(look, now ? 0 : 180);
    };
    field.addEventListener("input", (event) => { if (!event.isComposing) soon(false); });
    field.addEventListener("compositionend", () => soon(false));
    field.addEventListener("blur", close);
    field.addEventListener("keydown", (event) => {
      if (event.isComposing) return;
      if (event.ctrlKey && event.key === " ") { event.preventDefault(); soon(true); return; }
      if (list.hidden) return;
      if (event.key === "ArrowDown" || event.key === "ArrowUp") {
        event.preventDefault();
        choose(chosen < 0 ? (event.key === "ArrowDown" ? 0 : -1) : chosen + (event.key === "ArrowDown" ? 1 : -1));
      } else if ((event.key === "Enter" || event.key === "Tab") && chosen >= 0 && !event.ctrlKey && !event.metaKey) {
        event.preventDefault();
        take(items()[chosen]);
      } else if (event.key === "Escape") {
        event.preventDefault();
        close();
      }
    });
  };

  for (const field of document.querySelectorAll("input[data-complete]")) {
    suggest(field, (input) => input.value.slice(0, input.selectionStart).match(/[^,]*$/u)[0].trimStart(), false, (curie, iri) => curie ?? iri);
  }

  const query = document.getElementById("query");
  if (!query) return;
  const form = query.form;
  const [run, stop, state, result] = ["run", "stop", "state", "result"].map((id) => document.getElementById(id));
  suggest(query, (text) => {
    const before = text.value.slice(0, text.selectionStart);
    const word = before.match(/[\p{L}\p{N}_:\p{M}-]+$/u)?.[0] ?? "";
    const at = before.length - word.length;
    // The name of a variable, a word within an IRI or behind a # is no name of a thing.
    const free = !/[?$@^]$/.test(before.slice(0, at)) && !/<[^<>\s]*$/.test(before.slice(0, at)) && !/(^|\s)#[^\n]*$/.test(before.slice(0, at));
    return free ? word : "";
  }, true, (curie, iri) => curie ?? "<" + iri + ">");

  // A browser can refuse to keep things; then the page works without.
  const KEPT = "kgq-asked " + new URL(root).pathname;
  const asked = () => { try { return JSON.parse(localStorage.getItem(KEPT)) ?? []; } catch { return []; } };
  const keep = (all) => { try { localStorage.setItem(KEPT, JSON.stringify(all)); } catch { /* It is not kept. */ } };
  const before = document.getElementById("history");
  const remember = (text) => {
    if (text) keep([text, ...asked().filter((each) => each !== text)].slice(0, 40));
    const all = asked();
    before.hidden = all.length === 0;
    const forget = make("button", "", say("Forget them"));
    forget.type = "button";
    forget.addEventListener("click", () => { keep([]); remember(); });
    before.querySelector("button.forget")?.remove();
    forget.className = "forget";
    before.append(forget);
    before.querySelector("ol").replaceChildren(...all.map((text) => {
      const item = make("li");
      const button = make("button", "asked");
      button.type = "button";
      button.append(make("code", "", text.replace(/\s+/g, " ").slice(0, 160)));
      button.addEventListener("click", () => { query.value = text; query.focus(); });
      item.append(button);
      return item;
    }));
  };
  remember();

  const canned = document.getElementById("canned");
  document.getElementById("starts").hidden = canned.options.length < 2;
  canned.addEventListener("change", () => { if (canned.value) query.value = canned.value + "\n"; });

  // Goes to the place of a mistake and marks the rest of the word there.
  const mark = () => {
    const wrong = result.querySelector(".failure[data-line]");
    if (!wrong) return;
    const lines = query.value.split("\n");
    const start = lines.slice(0, wrong.dataset.line - 1).join("\n").length + (wrong.dataset.line > 1 ? 1 : 0) + Number(wrong.dataset.column) - 1;
    query.focus();
    query.setSelectionRange(start, start + (query.value.slice(start).match(/^[^\s(){};,.]+/u)?.[0].length ?? 1));
  };
  const busy = (is) => { run.disabled = is; stop.hidden = !is; };
  let running = null;
  const ask = async () => {
    running?.abort();
    const own = running = new AbortController();
    const started = performance.now();
    const text = query.value;
    busy(true);
    state.textContent = say("Asking…");
    result.replaceChildren();
    remember(text);
    const values = new URLSearchParams({ query: text, ...(chosen ? { lang: chosen } : {}) });
    const address = root + "ask?" + values;
    // The address names the query that is shown; one that no address can hold is not named.
    history.replaceState(null, "", address.length < 8000 ? address : root + "ask");
    try {
      values.set("part", "1");
      const response = await fetch(root + "ask", { method: "POST", body: values, signal: own.signal, headers: { accept: "text/html, application/problem+json", "accept-language": language } });
      const came = await response.text();
      state.textContent = (performance.now() - started).toFixed(0) + " ms";
      if (response.ok && (response.headers.get("content-type") ?? "").startsWith("text/html")) {
        const part = new DOMParser().parseFromString(came, "text/html");
        result.replaceChildren(...part.body.childNodes);
        window.kgqTables?.(result);
        mark();
      } else {
        let problem = {};
        try { problem = JSON.parse(came); } catch { /* Something between answered. */ }
        const words = [problem.detail ?? say("The server refused") + ": " + response.status, ...(problem.hints ?? [])];
        result.replaceChildren(...words.map((each, i) => make("p", i === 0 ? "wrong" : "hint", each)));
      }
    } catch (error) {
      if (own !== running) return;
      state.textContent = error.name === "AbortError" ? say("Stopped") : say("The server cannot be reached");
    } finally {
      if (own === running) busy(false);
    }
  };
  form.addEventListener("submit", (event) => { event.preventDefault(); ask(); });
  stop.addEventListener("click", () => running?.abort());
  query.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) { event.preventDefault(); ask(); }
  });
  if (result.firstElementChild) { remember(query.value); mark(); }
})();
