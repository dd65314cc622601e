"use strict";

// The decisions of one pack: kept in this browser under the id of the pack, handed back as a file. Nothing is loaded or sent.
(() => {
  const pack = JSON.parse(document.getElementById("pack-data").textContent);
  const items = [...document.querySelectorAll("article.item")];
  const ids = items.map((item) => item.dataset.item);
  const key = `custview.${pack.pack.pack_id}`;
  const fileName = `custview-decisions-${pack.pack.pack_id}.json`;
  const words = { match: "Match", not_a_match: "Not a match", unsure: "Unsure" };
  const keys = { 1: "match", m: "match", 2: "not_a_match", n: "not_a_match", 3: "unsure", u: "unsure" };
  const of = (id) => document.getElementById(id);
  const ticks = [...document.querySelectorAll("[data-go]")];

  // answers: by item id, decision and decided_at. reasons: by item id, reason_code and note. history: what each decision replaced.
  let state = { answers: {}, reasons: {}, history: [], name: "", place: 0, hasKeys: true };
  let isUnsaved = false;

  function isKnown(kept) {
    return kept && typeof kept === "object" && kept.answers && kept.reasons && Array.isArray(kept.history);
  }

  function load() {
    try {
      const kept = JSON.parse(localStorage.getItem(key) || "null");
      if (isKnown(kept)) state = { ...state, ...kept };
    } catch {
      of("storage-notice").hidden = false;
    }
  }

  function keep() {
    isUnsaved = true;
    try {
      localStorage.setItem(key, JSON.stringify(state));
    } catch {
      of("storage-notice").hidden = false;
    }
  }

  function count(decision) {
    return ids.filter((id) => state.answers[id] && (!decision || state.answers[id].decision === decision)).length;
  }

  function drawItem(place) {
    const answer = state.answers[ids[place]];
    const decision = answer ? answer.decision : "";
    const tick = ticks[place];
    const verdict = items[place].querySelector("[data-verdict]");
    const reason = state.reasons[ids[place]] || {};
    tick.dataset.decision = decision;
    tick.setAttribute("aria-label", `Pair ${place + 1}: ${decision ? words[decision].toLowerCase() : "not decided"}`);
    verdict.hidden = !decision;
    verdict.dataset.verdict = decision;
    verdict.textContent = decision ? `You said: ${words[decision].toLowerCase()}` : "";
    items[place].querySelector("[data-reason]").value = reason.reason_code || "";
    items[place].querySelector("[data-note]").value = reason.note || "";
  }

  let shown = null; // the place of the pair on the screen

  function show(place) {
    if (shown !== null) {
      items[shown].hidden = true;
      ticks[shown].tabIndex = -1;
      ticks[shown].removeAttribute("aria-current");
    }
    items[place].hidden = false;
    ticks[place].tabIndex = 0;
    ticks[place].setAttribute("aria-current", "true");
    shown = place;
  }

  function drawCurrent() {
    if (shown !== state.place) show(state.place);
    const answer = state.answers[ids[state.place]];
    document.querySelectorAll("[data-decide]").forEach((button) => {
      button.setAttribute("aria-pressed", String(Boolean(answer) && answer.decision === button.dataset.decide));
    });
    of("back").disabled = state.place === 0;
    of("next").disabled = state.place === items.length - 1;
    of("undo").disabled = state.history.length === 0;
    of("decided-count").textContent = count();
    of("progress").value = count();
  }

  function showTick() {
    const tick = ticks[state.place];
    const strip = of("strip");
    strip.scrollLeft = tick.offsetLeft - strip.offsetLeft - strip.clientWidth / 2;
  }

  function drawAll() {
    ids.forEach((_, place) => drawItem(place));
    drawCurrent();
    showTick();
  }

  function go(place, { takeFocus = true } = {}) {
    if (place < 0 || place >= items.length) return;
    state.place = place;
    drawCurrent();
    showTick();
    window.scrollTo(0, 0);
    if (takeFocus) items[place].querySelector("h2").focus({ preventScroll: true });
  }

  let fading = 0;
  function say(text) {
    const toast = of("toast");
    toast.textContent = text;
    toast.classList.add("seen");
    clearTimeout(fading);
    fading = setTimeout(() => toast.classList.remove("seen"), 2600);
  }

  function nextOpen(place) {
    const after = [...ids.keys()].map((step) => (place + 1 + step) % ids.length);
    return after.find((other) => !state.answers[ids[other]]);
  }

  function decide(decision) {
    const place = state.place;
    const id = ids[place];
    state.history.push({ id, before: state.answers[id] || null });
    state.answers[id] = { decision, decided_at: new Date().toISOString() };
    drawItem(place);
    const open = nextOpen(place);
    if (open === undefined) {
      drawCurrent();
      say(`${words[decision]}. All ${ids.length} are decided.`);
      openSave();
    } else {
      go(open);
      say(`${words[decision]}. ${count()} of ${ids.length} decided.`);
    }
    keep();
  }

  function undo() {
    const last = state.history.pop();
    if (!last) return;
    if (last.before) state.answers[last.id] = last.before;
    else delete state.answers[last.id];
    const place = ids.indexOf(last.id);
    drawItem(place);
    go(place);
    keep();
    say("Undone.");
  }

  function openSave() {
    for (const decision of Object.keys(words)) of(`count-${decision}`).textContent = count(decision);
    const left = ids.length - count();
    of("save-summary").textContent = left
      ? `${left} of ${ids.length} pairs are still open. You can save now, go on later and save again.`
      : `All ${ids.length} pairs are decided.`;
    of("file-name").textContent = fileName;
    of("name").value = state.name;
    of("name-error").textContent = count() ? "" : "Nothing is decided yet.";
    of("download").disabled = count() === 0;
    of("save-dialog").showModal();
  }

  // One decision a line, so that an error can name the line.
  function fileText(name) {
    const lines = ids.filter((id) => state.answers[id]).map((id) => {
      const { reason_code: code, note } = state.reasons[id] || {};
      const { decision, decided_at: at } = state.answers[id];
      return JSON.stringify({ item_id: id, decision, reason_code: code || null, note: note || null, decided_at: at });
    });
    const head = [
      `"format": ${JSON.stringify(pack.format)}`,
      `"pack": ${JSON.stringify(pack.pack)}`,
      `"seal": ${JSON.stringify(pack.seal)}`,
      `"decided_by": ${JSON.stringify(name)}`,
      `"saved_at": ${JSON.stringify(new Date().toISOString())}`,
    ];
    return `{\n${head.join(",\n")},\n"decisions": [\n${lines.join(",\n")}\n]\n}\n`;
  }

  function save(event) {
    event.preventDefault();
    const name = of("name").value.trim();
    if (!name) {
      of("name-error").textContent = "Give your name: decisions are kept with who made them.";
      of("name").focus();
      return;
    }
    state.name = name;
    keep();
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([fileText(name)], { type: "application/json" }));
    link.download = fileName;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
    isUnsaved = false;
    of("save-dialog").close();
    say(`Saved ${count()} decisions to ${fileName}`);
  }

  function giveReason(place, part, value) {
    state.reasons[ids[place]] = { ...state.reasons[ids[place]], [part]: value };
    keep();
  }

  const pressed = {
    ArrowLeft: () => go(state.place - 1),
    ArrowRight: () => go(state.place + 1),
    z: undo,
    s: openSave,
    r: () => items[state.place].querySelector("[data-reason]").focus(),
    "?": () => of("help-dialog").showModal(),
  };

  function onKey(event) {
    const isField = event.target.matches("input, select");
    if (isField && event.key === "Escape" && !document.querySelector("dialog[open]")) {
      items[state.place].querySelector("h2").focus({ preventScroll: true });
      return;
    }
    if (isField || event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
    const name = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    if (!state.hasKeys && name.length === 1) return;
    const action = pressed[name] || (name in keys && !event.repeat ? () => decide(keys[name]) : null);
    if (!action) return;
    event.preventDefault();
    action();
  }

  document.addEventListener("keydown", onKey);
  document.querySelectorAll("[data-decide]").forEach((button) => {
    button.setAttribute("aria-pressed", "false");
    button.addEventListener("click", () => decide(button.dataset.decide));
  });
  ticks.forEach((tick, place) => tick.addEventListener("click", () => go(place)));
  items.forEach((item, place) => {
    item.querySelector("[data-reason]").addEventListener("change", (event) => giveReason(place, "reason_code", event.target.value));
    item.querySelector("[data-note]").addEventListener("input", (event) => giveReason(place, "note", event.target.value));
  });
  of("back").addEventListener("click", () => go(state.place - 1, { takeFocus: false }));
  of("next").addEventListener("click", () => go(state.place + 1, { takeFocus: false }));
  of("undo").addEventListener("click", undo);
  of("save-button").addEventListener("click", openSave);
  of("help-button").addEventListener("click", () => of("help-dialog").showModal());
  of("save-form").addEventListener("submit", save);
  document.querySelectorAll("[data-close]").forEach((button) => {
    button.addEventListener("click", () => button.closest("dialog").close());
  });
  of("keys-on").addEventListener("change", (event) => {
    state.hasKeys = event.target.checked;
    keep();
  });
  // The same pack in another window: what was decided there counts here.
  window.addEventListener("storage", (event) => {
    if (event.key !== key) return;
    const { place } = state;
    load();
    state.place = place;
    drawAll();
  });
  window.addEventListener("beforeunload", (event) => {
    if (isUnsaved && !of("storage-notice").hidden) event.preventDefault();
  });

  load();
  state.place = Math.min(Math.max(0, Number(state.place) || 0), items.length - 1);
  of("keys-on").checked = state.hasKeys;
  items.forEach((item) => { item.hidden = true; });
  document.documentElement.classList.add("ready");
  drawAll();
})();
