// Search over the names of things, and buttons that copy. Pages work without either.
"use strict";

(() => {
  for (const code of document.querySelectorAll("code.copy")) {
    if (!navigator.clipboard) break;
    const button = document.createElement("button");
    button.type = "button";
    button.className = "copied";
    button.textContent = "copy";
    button.setAttribute("aria-label", "Copy " + code.textContent);
    button.addEventListener("click", async () => {
      try {
        await navigator.clipboard.writeText(code.textContent);
        button.textContent = "copied";
      } catch {
        button.textContent = "not allowed";
      }
      setTimeout(() => { button.textContent = "copy"; }, 1500);
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

  const field = document.getElementById("search");
  if (!field) return;
  const state = document.getElementById("search-state");
  const found = document.getElementById("found");
  const MOST = 40;
  const han = /\p{Script=Han}/u;

  // A text as search sees it: words without accents and case; of Chinese, each character and each pair of neighbours.
  const fold = (text) => text.toLowerCase().normalize("NFKD").replace(/\p{M}/gu, "");
  const words = (text) => text.match(/[\p{L}\p{N}]+/gu) ?? [];
  const pieces = (text) => {
    const out = [];
    for (const word of words(fold(text))) {
      let plain = "";
      let last = "";
      for (const character of word) {
        if (han.test(character)) {
          if (plain) out.push(plain);
          plain = "";
          out.push(character);
          if (last) out.push(last + character);
          last = character;
        } else {
          plain += character;
          last = "";
        }
      }
      if (plain) out.push(plain);
    }
    return out;
  };

  let data = { kinds: [], entries: [] };
  let folded = [];

  // How well a name answers: 0 if a word of the query is missing. Pairs of characters may be missing, characters not.
  const score = (name, whole, wanted) => {
    if (name === whole) return 1000;
    let total = name.startsWith(whole) ? 200 : name.includes(whole) ? 100 : 0;
    const own = words(name);
    for (const piece of wanted) {
      if (han.test(piece)) {
        if (name.includes(piece)) total += piece.length > 1 ? 8 : 2;
        else if (piece.length === 1) return 0;
      } else if (own.includes(piece)) total += 10;
      else if (own.some((word) => word.startsWith(piece))) total += 6;
      else if (piece.length > 2 && name.includes(piece)) total += 2;
      else return 0;
    }
    return total > 0 ? total + 20 / (1 + name.length) : 0;
  };

  const search = () => {
    const whole = fold(field.value.trim());
    const wanted = pieces(field.value);
    found.replaceChildren();
    if (wanted.length === 0) {
      state.textContent = data.entries.length + " names to search";
      return;
    }
    const hits = [];
    for (let i = 0; i < folded.length; i++) {
      let best = 0;
      let at = 0;
      for (let j = 0; j < folded[i].length; j++) {
        const points = score(folded[i][j], whole, wanted);
        if (points > best) { best = points; at = j; }
      }
      if (best > 0) hits.push([best, i, at]);
    }
    hits.sort((a, b) => b[0] - a[0] || a[1] - b[1]);
    state.textContent = hits.length === 0 ? "nothing is called so" : hits.length === 1 ? "1 found" : hits.length + " found";
    for (const [, i, at] of hits.slice(0, MOST)) {
      const [stem, kind, names] = data.entries[i];
      const item = document.createElement("li");
      const link = document.createElement("a");
      link.href = stem + ".html";
      link.textContent = names[0];
      item.append(link);
      const rest = [at > 0 ? names[at] : "", data.kinds[kind]].filter(Boolean).join(" · ");
      const more = document.createElement("span");
      more.className = "muted";
      more.textContent = rest;
      item.append(more);
      found.append(item);
    }
  };

  window.kgqSearch = (loaded) => {
    data = loaded;
    folded = data.entries.map(([, , names]) => names.map(fold));
    field.disabled = false;
    const asked = new URLSearchParams(location.search).get("q") ?? decodeURIComponent(location.hash.replace(/^#q=/, "").replace(/^#.*/, ""));
    if (asked) field.value = asked;
    search();
  };
  field.addEventListener("input", search);
  document.addEventListener("keydown", (event) => {
    if (event.key === "/" && !/input|textarea|select/i.test(document.activeElement.tagName)) {
      event.preventDefault();
      field.focus();
    }
  });
})();
