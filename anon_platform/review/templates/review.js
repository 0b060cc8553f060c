"use strict";
// Offsets are code points, as Python counts them; the browser counts UTF-16 units, so texts are split into code points.
// Nothing goes to localStorage: identified marks would stay in the browser's profile after the file is deleted.
const data = JSON.parse(document.getElementById("data").textContent);
const $ = id => document.getElementById(id);
const notes = data.notes.map(note => ({ points: Array.from(note.text), found: note.found, done: false, wrong: [], types: [], missed: [] }));
let at = 0, chosen = null, unsaved = false;
const undone = [];
const same = (a, b) => a[0] === b[0] && a[1] === b[1];
const has = (list, span) => list.some(one => same(one, span));
const blank = point => /^\s$/u.test(point);
const colour = label => "c" + data.labels.indexOf(label) % 6;

function marksOf(note) {
  const marks = note.found.map(span => {
    const other = note.types.find(one => same(one, span));
    return { start: span[0], end: span[1], label: other ? other[2] : span[2], kind: has(note.wrong, span) ? "wrong" : "found" };
  });
  // where a find is wrong, what was missed within it is shown instead
  const missed = note.missed.map(span => ({ start: span[0], end: span[1], label: span[2], kind: "missed" }));
  const shown = marks.filter(mark => !missed.some(one => one.start < mark.end && mark.start < one.end));
  return [...shown, ...missed].sort((a, b) => a.start - b.start);
}

function element(name, text, attributes) {
  const made = document.createElement(name);
  if (text !== undefined) made.textContent = text;
  for (const [key, value] of Object.entries(attributes || {})) made.setAttribute(key, value);
  return made;
}

function piece(note, from, to) {
  const made = element("span", note.points.slice(from, to).join(""), { "data-start": from });
  return made;
}

function draw() {
  const note = notes[at], place = $("note"), marks = marksOf(note);
  place.replaceChildren();
  let from = 0;
  marks.forEach((mark, i) => {
    if (mark.start > from) place.append(piece(note, from, mark.start));
    const made = element("mark", note.points.slice(mark.start, mark.end).join(""), { "data-start": mark.start, "data-label": mark.label, "data-mark": i, class: `${mark.kind} ${colour(mark.label)}${chosen && same([mark.start, mark.end], chosen) ? " chosen" : ""}` });
    made.setAttribute("aria-label", `${mark.kind} ${mark.label}`);
    place.append(made);
    from = mark.end;
  });
  if (from < note.points.length) place.append(piece(note, from, note.points.length));
  $("title").textContent = `Note ${at + 1} of ${notes.length}`;
  $("done").setAttribute("aria-pressed", note.done);
  $("done").firstChild.data = note.done ? "✓ Done " : "Done ";
  const done = notes.filter(one => one.done).length;
  $("bar").max = notes.length; $("bar").value = done;
  $("count").textContent = `${done} of ${notes.length} done`;
  document.title = `${unsaved ? "● " : ""}Review of notes, ${done} of ${notes.length}`;
  state(at);
}

function state(number) {
  const button = $("list").children[number].firstChild, note = notes[number];
  const marked = note.missed.length + note.wrong.length + note.types.length;
  button.lastChild.textContent = (marked ? `${marked} ` : "") + (note.done ? "✓" : "");
  button.setAttribute("aria-current", number === at);
}

function hint(text, fault) { $("hint").textContent = text; $("hint").className = fault ? "fault" : ""; }

function go(number) {
  if (number < 0 || number >= notes.length) return;
  const before = at;
  at = number; chosen = null;
  window.getSelection().removeAllRanges();
  draw(); state(before);
  $("note").scrollTop = 0;
  $("list").children[at].scrollIntoView({ block: "nearest" });
  hint("Select what was missed and press its type; click a find to say that it is wrong.");
}

function change(act) {
  const note = notes[at];
  undone.push({ at, before: JSON.stringify([note.done, note.wrong, note.types, note.missed]) });
  act(note);
  unsaved = true;
  draw();
}

function undo() {
  const last = undone.pop();
  if (!last) return hint("Nothing to undo.");
  if (last.at !== at) go(last.at);
  const note = notes[at];
  [note.done, note.wrong, note.types, note.missed] = JSON.parse(last.before);
  chosen = null; unsaved = true;
  draw();
}

function offset(node, units) {
  if (node.nodeType !== Node.TEXT_NODE) {
    const child = node.childNodes[units];
    if (child) return offset(child.nodeType === Node.TEXT_NODE ? child : child.firstChild || child, 0);
    return node.lastChild ? offset(node.lastChild.nodeType === Node.TEXT_NODE ? node.lastChild : node.lastChild.firstChild, Infinity) : 0;
  }
  const start = Number(node.parentElement.dataset.start);
  return start + Array.from(node.data.slice(0, units)).length;
}

function selected() {
  const selection = window.getSelection();
  if (selection.rangeCount === 0 || selection.isCollapsed) return null;
  const range = selection.getRangeAt(0), place = $("note");
  if (!place.contains(range.startContainer) || !place.contains(range.endContainer)) return null;
  return trimmed(offset(range.startContainer, range.startOffset), offset(range.endContainer, range.endOffset));
}

function trimmed(start, end) {
  const points = notes[at].points;
  while (start < end && blank(points[start])) start++;
  while (start < end && blank(points[end - 1])) end--;
  return start < end ? [start, end] : null;
}

function select(start, end) {
  const find = point => {
    const parts = [...$("note").children].filter(one => Number(one.dataset.start) <= point.at);
    const part = parts[parts.length - 1];
    const units = notes[at].points.slice(Number(part.dataset.start), point.at).join("").length;
    return [part.firstChild, Math.min(units, part.firstChild.data.length)];
  };
  const range = document.createRange();
  range.setStart(...find({ at: start }));
  const last = find({ at: end - 1 });
  range.setEnd(last[0], Math.min(last[1] + notes[at].points[end - 1].length, last[0].data.length));
  const selection = window.getSelection();
  selection.removeAllRanges();
  selection.addRange(range);
  last[0].parentElement.scrollIntoView({ block: "nearest" });
}

function words() {
  const found = [];
  notes[at].points.forEach((point, i) => {
    if (!/^[\p{L}\p{N}\p{M}]$/u.test(point)) return;
    const last = found[found.length - 1];
    // a mark on its own, such as the variation selector of an emoji, begins no word
    if (last && last[1] === i) last[1] = i + 1; else if (!/^\p{M}$/u.test(point)) found.push([i, i + 1]);
  });
  return found;
}

function byWord(step, grow) {
  const now = selected(), list = words();
  if (!list.length) return;
  const first = now ? list.findIndex(word => word[1] > now[0]) : -1;
  const last = now ? list.findLastIndex(word => word[0] < now[1]) : (step > 0 ? -1 : list.length);
  const to = Math.max(0, Math.min(list.length - 1, (step > 0 || grow ? last : first) + step));
  chosen = null; draw();
  if (grow && now) select(list[first][0], list[Math.max(first, to)][1]); else select(...list[to]);
}

// What of a selection no find that is right covers: that is what was missed.
function uncovered(note, span) {
  const right = note.found.filter(find => !has(note.wrong, find));
  let parts = [span];
  for (const find of right) {
    parts = parts.flatMap(([start, end]) => find[1] <= start || end <= find[0] ? [[start, end]] : [[start, Math.max(start, find[0])], [Math.min(end, find[1]), end]]);
  }
  return parts.map(part => part[0] < part[1] ? trimmed(...part) : null).filter(part => part && note.points.slice(...part).some(point => /[\p{L}\p{N}]/u.test(point)));
}

function type(label) {
  const span = selected(), note = notes[at];
  if (span) {
    const parts = uncovered(note, span);
    // a selection that stays would be dragged by the next press of the mouse
    window.getSelection().removeAllRanges();
    if (!parts.length) return hint("That is found already.", true);
    if (parts.some(part => note.missed.some(one => one[0] < part[1] && part[0] < one[1]))) return hint("That overlaps what is marked as missed; remove that mark first.", true);
    chosen = parts[0];
    change(one => parts.forEach(part => one.missed.push([...part, label])));
    return hint(`Missed: ${label}.`);
  }
  if (!chosen) return hint("Select text first, or click a mark.", true);
  const gone = note.missed.find(one => same(one, chosen)), find = note.found.find(one => same(one, chosen));
  if (gone) change(one => { one.missed = one.missed.map(each => same(each, chosen) ? [each[0], each[1], label] : each); });
  else if (find) change(one => {
    one.wrong = one.wrong.filter(each => !same(each, chosen));
    one.types = one.types.filter(each => !same(each, chosen));
    if (label !== find[2]) one.types.push([find[0], find[1], label]);
  });
  hint(`Type: ${label}.`);
}

function wrong() {
  const note = notes[at];
  if (!chosen || !has(note.found, chosen)) return hint("Choose a find first: click it, or press →.", true);
  const span = [chosen[0], chosen[1]];
  if (has(note.wrong, span) && note.missed.some(one => one[0] < span[1] && span[0] < one[1])) return hint("Part of it is marked as missed; remove that mark first.", true);
  change(one => {
    if (has(one.wrong, span)) one.wrong = one.wrong.filter(each => !same(each, span));
    else { one.wrong.push(span); one.types = one.types.filter(each => !same(each, span)); }
  });
  hint(has(note.wrong, span) ? "Wrong: it identifies nobody." : "Right again.");
}

function remove() {
  if (!chosen || !has(notes[at].missed, chosen)) return hint("Choose a mark of something missed first.", true);
  change(note => { note.missed = note.missed.filter(each => !same(each, chosen)); });
  chosen = null; draw();
  hint("Removed.");
}

function choose(step) {
  const marks = marksOf(notes[at]);
  if (!marks.length) return hint("There is no mark in this note.");
  const now = chosen ? marks.findIndex(mark => same([mark.start, mark.end], chosen)) : (step > 0 ? -1 : 0);
  const mark = marks[(now + step + marks.length) % marks.length];
  window.getSelection().removeAllRanges();
  chosen = [mark.start, mark.end];
  draw();
  document.querySelector("mark.chosen").scrollIntoView({ block: "nearest" });
  hint(`${mark.kind === "missed" ? "Missed" : mark.kind === "wrong" ? "Wrong" : "Found"}: ${mark.label}.`);
}

function done() {
  const to = !notes[at].done;
  change(note => { note.done = to; });
  if (to && at + 1 < notes.length) go(at + 1);
  else if (to) hint(notes.every(note => note.done) ? "All notes are done: save." : "Press N for the next note that is not done.");
}

function nextOpen() {
  for (let i = 1; i <= notes.length; i++) {
    const number = (at + i) % notes.length;
    if (!notes[number].done) return go(number);
  }
  hint("All notes are done: save.");
}

function saved() {
  const said = {};
  notes.forEach((note, i) => {
    if (note.done || note.wrong.length || note.types.length || note.missed.length) said[i + 1] = { done: note.done, wrong: note.wrong, right_type: note.types, missed: note.missed };
  });
  return JSON.stringify({ format: data.format, sample: data.sample, reviewer: $("reviewer").value.trim(), notes: said }, null, 1);
}

function save() {
  if (!$("reviewer").value.trim()) {
    $("reviewer").classList.add("missing"); $("reviewer").focus();
    return hint("Write your name first: marks of two reviewers are told apart by it.", true);
  }
  const link = element("a", "", { download: `${data.dataset}-marks.json` });
  link.href = URL.createObjectURL(new Blob([saved()], { type: "application/json" }));
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  unsaved = false;
  draw();
  const open = notes.filter(note => !note.done).length;
  hint(open ? `Saved; ${open} notes are not done yet. Load the file to go on.` : "Saved. Read it back with: anon review-import");
}

function load(text) {
  let read;
  try { read = JSON.parse(text); } catch { return hint("That file is no JSON.", true); }
  if (!read || read.format !== data.format || read.sample !== data.sample) return hint("That file belongs to another sample; nothing was loaded.", true);
  notes.forEach((note, i) => {
    const said = read.notes[i + 1] || { done: false, wrong: [], right_type: [], missed: [] };
    Object.assign(note, { done: said.done, wrong: said.wrong, types: said.right_type, missed: said.missed });
  });
  $("reviewer").value = read.reviewer;
  undone.length = 0; unsaved = false;
  notes.forEach((_, i) => state(i));
  go(Math.max(0, notes.findIndex(note => !note.done)));
  hint("Loaded.");
}

const KEYS = {
  j: () => go(at + 1), k: () => go(at - 1), n: nextOpen, ArrowRight: () => choose(1), ArrowLeft: () => choose(-1), w: wrong, x: remove, u: undo,
  s: save, Enter: done, "?": () => $("help").showModal(), ".": () => byWord(1, false), ",": () => byWord(-1, false), ">": () => byWord(1, true), "<": () => byWord(-1, true),
};
document.addEventListener("keydown", event => {
  if (event.ctrlKey || event.metaKey || event.altKey || $("help").open || event.target.matches("input")) return;
  if (event.key === "Enter" && event.target.matches("button")) return;
  const shifted = event.shiftKey && { Period: ">", Comma: "<" }[event.code];
  const number = /^[1-9]$/.test(event.key) ? data.labels[Number(event.key) - 1] : null;
  if (event.shiftKey && event.key.startsWith("Arrow")) return;
  const act = number ? () => type(number) : KEYS[shifted || (event.key.length === 1 ? event.key.toLowerCase() : event.key)];
  if (act) { event.preventDefault(); act(); }
});
$("note").addEventListener("click", event => {
  const mark = event.target.closest("mark");
  if (!mark || !window.getSelection().isCollapsed) return;
  const found = marksOf(notes[at])[Number(mark.dataset.mark)];
  chosen = [found.start, found.end];
  draw();
  hint(`${found.kind === "missed" ? "Missed" : found.kind === "wrong" ? "Wrong" : "Found"}: ${found.label}. W: wrong; a type's key: its right type.`);
});
// a button must not take the selection away before it acts on it
document.querySelector(".tools").addEventListener("mousedown", event => { if (event.target.closest("button")) event.preventDefault(); });
for (const [id, act] of Object.entries({ previous: KEYS.k, next: KEYS.j, done, wrong, remove, undo, save, "help-open": KEYS["?"], "help-close": () => $("help").close() })) {
  $(id).addEventListener("click", event => { act(); if (id !== "help-open") event.currentTarget.blur(); });
}
$("reviewer").addEventListener("input", () => { $("reviewer").classList.remove("missing"); unsaved = true; });
$("load").addEventListener("change", async event => {
  const file = event.target.files[0];
  if (file && (!unsaved || window.confirm("Marks that are not saved are lost. Load all the same?"))) load(await file.text());
  event.target.value = "";
});
window.addEventListener("beforeunload", event => { if (unsaved) event.preventDefault(); });
data.labels.forEach((label, i) => {
  const button = element("button", `${label} `, { class: colour(label) });
  if (i < 9) button.append(element("kbd", String(i + 1)));
  button.addEventListener("click", () => type(label));
  $("types").append(button);
});
notes.forEach((_, i) => {
  const item = element("li"), button = element("button", "", {});
  button.append(element("span", String(i + 1)), element("span", "", { class: "state" }));
  button.addEventListener("click", () => go(i));
  item.append(button);
  $("list").append(item);
});
$("dataset").textContent = data.dataset;
notes.forEach((_, i) => state(i));
go(0);
