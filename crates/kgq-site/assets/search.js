// How search compares what is typed with the names of things. It knows no page, so that tests can ask it alone.
const kgqNames = (() => {
  "use strict";

  const han = /\p{Script=Han}/u;

  // A text as search sees it: words without accents, case and apostrophes; of Chinese, each character and each pair of neighbours.
  const fold = (text) => text.toLowerCase().normalize("NFKD").replace(/[\p{M}'’ʼ`´]/gu, "");
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

  // How many letters must be put in, left out, changed or exchanged; more than `most` is told as `most + 1`.
  const distance = (a, b, most) => {
    if (Math.abs(a.length - b.length) > most) return most + 1;
    let before = [];
    let last = Array.from({ length: b.length + 1 }, (_, j) => j);
    for (let i = 1; i <= a.length; i++) {
      const row = [i];
      for (let j = 1; j <= b.length; j++) {
        const same = a[i - 1] === b[j - 1];
        row[j] = Math.min(last[j] + 1, row[j - 1] + 1, last[j - 1] + (same ? 0 : 1));
        if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) row[j] = Math.min(row[j], before[j - 2] + 1);
      }
      if (Math.min(...row) > most) return most + 1;
      before = last;
      last = row;
    }
    return last[b.length];
  };
  // What a name is away from the words of the query, where each of them has a near one.
  const away = (name, wanted) => {
    let total = 0;
    for (const piece of wanted) {
      if (han.test(piece) || piece.length < 3) return 0;
      const most = piece.length > 5 ? 2 : 1;
      const best = Math.min(...words(name).map((word) => distance(piece, word, most)));
      if (!(best <= most)) return 0;
      total += best;
    }
    return total ? 100 - total + 20 / (1 + name.length) : 0;
  };

  // The best entries for what is typed, and whether they are only near it.
  const find = (folded, typed) => {
    const whole = fold(typed.trim());
    const wanted = pieces(typed);
    const rank = (points) => {
      const hits = [];
      for (let i = 0; i < folded.length; i++) {
        let best = 0;
        let at = 0;
        for (let j = 0; j < folded[i].length; j++) {
          const found = points(folded[i][j]);
          if (found > best) { best = found; at = j; }
        }
        if (best > 0) hits.push([best, i, at]);
      }
      return hits.sort((a, b) => b[0] - a[0] || a[1] - b[1]);
    };
    if (wanted.length === 0) return { hits: [], near: false, empty: true };
    let hits = rank((name) => score(name, whole, wanted));
    // `xi an` for Xi'an: what is written apart may be one word.
    const joined = whole.replace(/\s+/gu, "");
    if (hits.length === 0 && joined !== whole) hits = rank((name) => score(name, joined, pieces(joined)));
    return hits.length > 0 ? { hits, near: false } : { hits: rank((name) => away(name, wanted)), near: true };
  };

  return { fold, find };
})();
