// The page of `compress serve`. Text of others only ever becomes text nodes and properties, never markup.

const $ = (id) => document.getElementById(id);
const form = $("form"), field = $("id"), where = $("where"), size = $("k"), list = $("completions");
const results = $("results"), message = $("message"), beside = $("beside");
const MOST_LABELS = 6;
let about = null, newest = 0, token = takeToken();

// A service for other machines is opened as http://HOST:PORT/#token=TOKEN; the address bar forgets it at once.
function takeToken() {
  const given = new URLSearchParams(location.hash.slice(1)).get("token");
  if (given) {
    sessionStorage.setItem("token", given);
    history.replaceState(null, "", location.pathname);
  }
  return sessionStorage.getItem("token");
}

async function ask(path, query = {}) {
  const words = new URLSearchParams(Object.entries(query).filter(([, value]) => value !== ""));
  const headers = token ? { authorization: `Bearer ${token}` } : {};
  const answer = await fetch(`${path}?${words}`, { headers });
  const found = await answer.json();
  if (answer.status === 401) throw new Error("This service needs its token: open this page with #token=… at the end.");
  if (!answer.ok) throw new Error(found.error);
  return found;
}

function make(tag, properties = {}, ...children) {
  const { data, ...rest } = properties;
  const node = Object.assign(document.createElement(tag), rest);
  for (const [name, value] of Object.entries(data ?? {})) node.setAttribute(name, value);
  node.append(...children.filter((child) => child !== null));
  return node;
}

const count = (number) => number.toLocaleString("en");
const percent = (share) => (share === null ? "–" : `${Math.round(share * 100)} %`);
const titleOf = (video) => String(video.metadata.title || video.metadata.name || video.video_id);

function tile(video) {
  if (video.thumbnail) {
    return make("img", { className: "tile", src: video.thumbnail, alt: "", loading: "lazy", referrerPolicy: "no-referrer" });
  }
  let hash = 2166136261;
  for (const letter of video.video_id) hash = Math.imul(hash ^ letter.codePointAt(0), 16777619) >>> 0;
  const node = make("div", { className: "tile", data: { "aria-hidden": "true" } }, [...video.video_id].slice(0, 6).join(""));
  node.style.setProperty("--hue", hash % 360);
  node.style.setProperty("--hue-2", (hash % 360) + 20 + ((hash >>> 9) % 60));
  return node;
}

function labels(video, shared = []) {
  const chips = video.labels.slice(0, MOST_LABELS).map((name) => {
    const chip = make("button", { type: "button", className: "label", title: `Only videos with ${name}` }, name);
    chip.classList.toggle("shared", shared.includes(name));
    chip.onclick = () => go({ id: state().id, where: `'${name.replaceAll("'", "''")}' IN labels` });
    return chip;
  });
  const rest = video.labels.slice(MOST_LABELS);
  const more = rest.length ? make("span", { className: "more", title: rest.join(", ") }, `and ${rest.length} more`) : null;
  return make("div", { className: "labels" }, ...chips, ...(more ? [more] : []));
}

function card(video, query, mark = null) {
  const open = make("button", { type: "button", className: "open" }, titleOf(video));
  open.setAttribute("aria-label", `${titleOf(video)}, score ${video.score.toFixed(3)}: search from this video`);
  open.onclick = () => go({ id: video.video_id });
  const link = video.link ? make("a", { href: video.link, target: "_blank", rel: "noopener noreferrer" }, "open") : null;
  const name = titleOf(video) === video.video_id ? null : make("code", {}, video.video_id);
  const sub = make("div", { className: "sub" }, name, make("span", { className: "score" }, video.score.toFixed(3)), mark, link);
  const text = make("div", { className: "text" }, open, sub, labels(video, query.labels));
  return make("li", { className: "card", data: { "data-id": video.video_id } }, tile(video), text);
}

function showQuery(video) {
  const heading = make("h2", {}, `Videos like ${titleOf(video)}`);
  $("query").replaceChildren(tile(video), make("div", {}, heading, labels(video, video.labels)));
  $("query").hidden = false;
  document.title = `${titleOf(video)} – similar videos`;
}

function showGrid(query, matches) {
  $("figures").hidden = true;
  results.replaceChildren(make("ul", { className: "grid", data: { "aria-label": "Similar videos" } },
    ...matches.map((match) => card(match, query))));
}

function figure(value, text) {
  return make("div", { className: "figure" }, make("b", {}, value), make("span", {}, text));
}

function showBeside(found) {
  const { here, there } = found;
  const [few, many] = [here.about.bytes_per_video, there.about.bytes_per_video];
  const common = found.same.length;
  $("figures").replaceChildren(
    figure(percent(found.overlap), `overlap: ${common} of ${Math.max(here.matches.length, there.matches.length)} videos in both answers`),
    figure(`${count(few)} : ${count(many)}`, `bytes per video, ${few <= many ? `${(many / few).toFixed(1)} times fewer` : "more than beside"}`),
    figure(`${percent(found.labels_here)} : ${percent(found.labels_there)}`, "of the videos found share a label with the query"));
  $("figures").hidden = false;
  const places = (matches) => new Map(matches.map((match, at) => [match.video_id, at + 1]));
  const side = (own, other) => {
    const rank = places(other.matches);
    const marks = (match) => rank.has(match.video_id)
      ? make("span", { className: "mark both" }, `no. ${rank.get(match.video_id)} in ${other.about.name}`)
      : make("span", { className: "mark" }, `not in ${other.about.name}`);
    const facts = `${own.about.dim} dimensions, ${own.about.codec}, ${count(own.about.bytes_per_video)} bytes per video`;
    return make("section", {}, make("h2", {}, own.about.name, make("small", {}, facts)),
      make("ol", { className: "rows", data: { "aria-label": own.about.name } },
        ...own.matches.map((match) => card(match, found.query, marks(match)))));
  };
  results.replaceChildren(make("div", { className: "sides" }, side(here, there), side(there, here)));
}

function state() {
  const words = new URLSearchParams(location.hash.slice(1));
  return { id: words.get("id") ?? "", where: words.get("where") ?? "", k: words.get("k") ?? "12",
    beside: words.get("beside") ?? "" };
}

function go(change) {
  const next = { ...state(), ...change };
  const words = new URLSearchParams(Object.entries(next).filter(([name, value]) => value !== "" && !(name === "k" && value === "12")));
  if (location.hash.slice(1) === words.toString()) show();
  else location.hash = words.toString();
}

function say(text, isError = false) {
  message.textContent = text;
  message.classList.toggle("error", isError);
}

async function show() {
  const now = state(), turn = ++newest;
  closeList();
  [field.value, where.value, size.value] = [now.id, now.where, now.k];
  beside.checked = Boolean(now.beside && about.beside);
  if (now.id === "") return welcome(turn);
  say("Searching…");
  const started = performance.now();
  try {
    const asked = { id: now.id, k: now.k, where: now.where };
    const both = beside.checked;
    const [query, found] = await Promise.all([
      ask(`v1/videos/${encodeURIComponent(now.id)}`), ask(both ? "v1/beside" : "v1/search", asked)]);
    if (turn !== newest) return;
    const matches = both ? found.here.matches : found.matches;
    showQuery(query);
    if (both) showBeside(found);
    else showGrid(query, matches);
    const took = `${Math.max(1, Math.round(performance.now() - started))} ms`;
    say(matches.length ? `${count(matches.length)} most similar of ${count(about.videos)} videos, ${took}` : "No video passes the filter.");
    window.scrollTo(0, 0);
  } catch (error) {
    if (turn === newest) say(error.message, true);
  }
}

async function welcome(turn) {
  document.title = "Similar videos";
  $("query").hidden = $("figures").hidden = true;
  results.replaceChildren();
  say("Type the id of a video, or begin with one of these:");
  const { ids } = await ask("v1/ids", { k: 12 });
  if (turn !== newest) return;
  const videos = await Promise.all(ids.map((id) => ask(`v1/videos/${encodeURIComponent(id)}`)));
  if (turn !== newest) return;
  if (!ids.length) say("This collection is empty.");
  showGrid({ labels: [] }, videos);
  for (const score of results.querySelectorAll(".score")) score.remove();
}

// Completion: a combobox as the ARIA practices describe it.
let chosen = -1;
function closeList() {
  list.hidden = true;
  chosen = -1;
  field.setAttribute("aria-expanded", "false");
  field.removeAttribute("aria-activedescendant");
}

function choose(at) {
  const items = [...list.children];
  chosen = (at + items.length) % items.length;
  items.forEach((item, place) => item.setAttribute("aria-selected", String(place === chosen)));
  items[chosen].scrollIntoView({ block: "nearest" });
  field.setAttribute("aria-activedescendant", items[chosen].id);
}

field.addEventListener("input", async () => {
  const prefix = field.value;
  if (prefix === "") return closeList();
  const { ids } = await ask("v1/ids", { prefix, k: 8 }).catch(() => ({ ids: [] }));
  if (field.value !== prefix || document.activeElement !== field) return;
  closeList();
  list.replaceChildren(...ids.map((id, at) => {
    const item = make("li", { id: `completion-${at}`, data: { role: "option", "aria-selected": "false" } }, id);
    item.onpointerdown = (event) => { event.preventDefault(); go({ id }); };
    return item;
  }));
  list.hidden = !ids.length;
  field.setAttribute("aria-expanded", String(!list.hidden));
});
field.addEventListener("blur", closeList);
field.addEventListener("keydown", (event) => {
  if (event.key === "Escape") return closeList();
  if (list.hidden) return;
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (step) {
    event.preventDefault();
    choose(chosen < 0 && step < 0 ? -1 : chosen + step);
  } else if (event.key === "Enter" && chosen >= 0) {
    event.preventDefault();
    go({ id: list.children[chosen].textContent });
  }
});

// Arrows move between cards by where they are on the screen.
document.addEventListener("keydown", (event) => {
  const typing = event.target.matches("input, select");
  if (event.key === "/" && !typing) {
    event.preventDefault();
    field.focus();
    field.select();
  }
  const steps = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowDown: [0, 1], ArrowUp: [0, -1] }[event.key];
  if (!steps || typing) return;
  const cards = [...results.querySelectorAll(".open")];
  if (!cards.length) return;
  event.preventDefault();
  if (!cards.includes(document.activeElement)) return cards[0].focus();
  const middle = (node) => {
    const box = node.closest(".card").getBoundingClientRect();
    return [box.x + box.width / 2, box.y + box.height / 2];
  };
  const [x, y] = middle(document.activeElement);
  const [right, down] = steps;
  let nearest = null, best = Infinity;
  for (const other of cards) {
    const [dx, dy] = [middle(other)[0] - x, middle(other)[1] - y];
    const along = dx * right + dy * down, across = Math.abs(dx * down) + Math.abs(dy * right);
    if (along > 1 && along + 3 * across < best) [nearest, best] = [other, along + 3 * across];
  }
  nearest?.focus();
});

form.addEventListener("submit", (event) => {
  event.preventDefault();
  go({ id: field.value, where: where.value, k: size.value });
});
size.addEventListener("change", () => go({ k: size.value }));
beside.addEventListener("change", () => go({ beside: beside.checked ? "1" : "" }));
$("home").addEventListener("click", (event) => { event.preventDefault(); location.hash = ""; });
window.addEventListener("hashchange", show);

try {
  about = await ask("v1/about");
  const bytes = about.bytes_per_video === null ? "" : ` · ${count(about.bytes_per_video)} bytes per video`;
  $("facts").textContent = `${about.name} · ${count(about.videos)} videos · ${about.codec}${bytes}`;
  const columns = Object.entries(about.columns).map(([name, type]) => `${name} (${type.toLowerCase()})`);
  $("columns").textContent = `Where is an SQL expression over ${["video_id", "labels", ...columns].join(", ")}; such as 'Car' IN labels`;
  if (about.beside) {
    $("other").textContent = `${about.beside.name} (${count(about.beside.bytes_per_video)} bytes per video)`;
    $("switch").hidden = false;
  }
  await show();
} catch (error) {
  say(error.message, true);
}
