"use strict";
// Swaps in the parts that the server has drawn anew, and posts what people press
// and type. It makes no HTML of its own.

const every = 1000; // ms between two looks
let version = document.body.dataset.version;
let openMail = null;
let shownTab = null;
const drawn = new Map(); // part -> its HTML
const seen = new WeakSet(); // chats that were once scrolled to their end

function all(selector, root = document) { return [...root.querySelectorAll(selector)]; }

// keyOf is what makes a node the same one as before, wherever it has moved to.
function keyOf(node) {
  const d = node.dataset;
  if (!d) return null;
  if (node.nodeName === "OPTION") return "option " + node.textContent;
  const key = d.key ?? d.phone ?? d.sid ?? d.mail ?? d.open ?? d.partner ?? d.fault ?? null;
  return key === null ? null : node.nodeName + " " + key;
}

// morph makes the children of one node like those of another and keeps what is
// already right, so that nothing vanishes under a pointer or a typing hand.
function morph(from, to) {
  const kept = new Map([...from.childNodes].map((n) => [keyOf(n), n]));
  let at = from.firstChild;
  for (const want of [...to.childNodes]) {
    const key = keyOf(want);
    const have = key !== null ? kept.get(key) : at && keyOf(at) === null && at.nodeName === want.nodeName ? at : null;
    if (!have) { from.insertBefore(want, at); continue; }
    if (have === at) at = at.nextSibling;
    else from.insertBefore(have, at);
    patch(have, want);
  }
  while (at) { const next = at.nextSibling; at.remove(); at = next; }
}

function patch(have, want) {
  if (have.nodeType !== Node.ELEMENT_NODE) {
    if (have.nodeValue !== want.nodeValue) have.nodeValue = want.nodeValue;
    return;
  }
  for (const { name, value } of [...want.attributes]) {
    if (name !== "open" && have.getAttribute(name) !== value) have.setAttribute(name, value);
  }
  for (const { name } of [...have.attributes]) {
    if (name !== "open" && !want.hasAttribute(name)) have.removeAttribute(name);
  }
  morph(have, want);
}

function settle(root = document) {
  for (const t of all("time[datetime]", root)) t.textContent = new Date(t.dateTime).toLocaleTimeString([], { hour12: false });
  showTab();
  showMail();
}

function showTab() {
  const wanted = location.hash.slice(1);
  const here = document.getElementById(wanted)?.tagName === "SECTION" ? wanted : "phones";
  for (const s of all("section")) s.classList.toggle("here", s.id === here);
  for (const a of all("nav a")) a.classList.toggle("here", a.hash === "#" + here);
  const nav = document.querySelector("nav"), tab = nav.querySelector(".here");
  if (here !== shownTab) nav.scrollLeft = tab.offsetLeft - nav.offsetLeft - (nav.clientWidth - tab.offsetWidth) / 2;
  shownTab = here;
  for (const e of all("[data-scroll]")) if (!seen.has(e) && e.clientHeight) { seen.add(e); e.scrollTop = e.scrollHeight; }
}

function showMail() {
  const mails = all(".mail");
  if (!mails.some((m) => m.dataset.open === openMail)) openMail = mails[0]?.dataset.open ?? null;
  for (const m of mails) m.classList.toggle("here", m.dataset.open === openMail);
  for (const b of all("[data-mail]")) b.classList.toggle("here", b.dataset.mail === openMail);
}

function draw(name, html) {
  if (drawn.get(name) === html) return;
  drawn.set(name, html);
  const root = document.querySelector(`[data-part="${name}"]`);
  const atEnd = all("[data-scroll]", root).filter((e) => e.scrollHeight - e.scrollTop - e.clientHeight < 30);
  const fresh = document.createElement("template");
  fresh.innerHTML = html;
  morph(root, fresh.content);
  settle(root);
  for (const e of atEnd) e.scrollTop = e.scrollHeight;
}

async function look() {
  const res = await fetch("/_page?since=" + version);
  if (res.status !== 200) return;
  const page = await res.json();
  for (const [name, html] of Object.entries(page.parts)) draw(name, html);
  version = page.version;
}

async function watch() {
  try { if (!document.hidden) await look(); } catch { /* the sandbox is away; the next look tells */ }
  setTimeout(watch, every);
}

let hide;
function notice(text, wrong = false) {
  const e = document.getElementById("notice");
  e.textContent = text;
  e.className = wrong ? "shown wrong" : "shown";
  clearTimeout(hide);
  hide = setTimeout(() => { e.className = ""; }, wrong ? 8000 : 3000);
}

// ask sends JSON and returns the answer; a refusal is shown and undefined.
async function ask(method, path, body) {
  try {
    const res = await fetch(path, { method, headers: { "Content-Type": "application/json" }, body: body === undefined ? undefined : JSON.stringify(body) });
    const text = await res.text();
    const answer = text ? JSON.parse(text) : {};
    if (!res.ok) { notice(answer.error || res.statusText, true); return undefined; }
    return answer;
  } catch (e) {
    notice("The sandbox does not answer.", true);
    return undefined;
  } finally {
    look().catch(() => {});
  }
}

async function send(button) {
  button.disabled = true;
  const answer = await ask("POST", `/_send/${button.dataset.from}/${encodeURIComponent(button.dataset.send)}`, {});
  button.disabled = false;
  if (!answer) return;
  const about = answer.work_order_id ? ` for work order ${answer.work_order_id}` : answer.property_id ? ` for property ${answer.property_id}` : "";
  notice(`${button.dataset.send}${about}: the ingress answered ${answer.status}`, answer.status > 299);
}

async function text(form, body) {
  const answer = await ask("POST", "/_reply", { from: form.elements.from.value.trim(), body });
  return answer !== undefined;
}

const sales = "/_records/openmoove/properties";

// saleOf is the path of the sale that something on the page belongs to.
function saleOf(node) { return `${sales}/${node.closest("[data-sale]").dataset.sale}`; }

// milestone changes the milestone that something on the page belongs to.
function milestone(node, change) {
  return ask("PUT", `${saleOf(node)}/milestones/${node.closest("[data-milestone]").dataset.milestone}`, change);
}

// options puts them as they are shown, but for the switch that was pressed and the rate
// that was set.
function options(pressed, rate = document.querySelector("[data-changes]").dataset.changes) {
  const body = { changes_a_day: Number(rate) };
  for (const b of all("[data-option]")) body[b.dataset.option] = (b.getAttribute("aria-pressed") === "true") !== (b === pressed);
  return ask("PUT", "/_records/openmoove/options", body);
}

document.addEventListener("click", async (event) => {
  const b = event.target.closest("button");
  if (!b) return;
  const d = b.dataset;
  if (d.send) await send(b);
  else if (d.quick) await text(b.form, d.quick);
  else if (d.mail) { openMail = d.mail; showMail(); }
  else if (d.fault) {
    const path = "/_faults/" + b.closest("[data-partner]").dataset.partner;
    if (b.getAttribute("aria-pressed") === "true") await ask("DELETE", path);
    else await ask("PUT", path, JSON.parse(d.fault));
  } else if (d.accept) {
    if (await ask("POST", saleOf(b) + "/accept", { role: d.accept })) notice("The invitation is accepted.");
  } else if (d.complete) await milestone(b, { completed: d.complete === "true" });
  else if (d.option) await options(b);
  else if ("reset" in d && confirm("Forget all texts, mails, calls, faults and changed records?")) {
    if (await ask("POST", "/_reset")) notice("All partners are back at their seed.");
  }
});

document.addEventListener("submit", async (event) => {
  const form = event.target;
  event.preventDefault();
  if ("text" in form.dataset) {
    const body = form.elements.body.value;
    form.elements.body.value = "";
    if (!await text(form, body) && form.isConnected) form.elements.body.value = body;
  } else if ("status" in form.dataset) {
    const { id, status } = form.elements;
    const answer = await ask("PUT", `/_records/rentvine/work-orders/${encodeURIComponent(id.value)}/status`, { status: status.value });
    if (answer) notice(`Work order ${answer.work_order_id} is now ${answer.status}`);
  } else if ("moveOut" in form.dataset) {
    const { id, date } = form.elements;
    const answer = await ask("PUT", `/_records/rentvine/leases/${encodeURIComponent(id.value)}/move-out`, { date: date.value });
    if (answer) { form.reset(); notice(`Lease ${answer.lease_id} has ended`); }
  } else if ("due" in form.dataset) {
    if (await milestone(form, { due_date: form.elements.due.value || null })) notice("The due date is moved.");
  } else if ("saleNew" in form.dataset) {
    const fields = Object.fromEntries(new FormData(form));
    if (fields.sale_method !== "standard") fields.auctioneer_email = "lots@hammond.example.com";
    const answer = await ask("POST", sales, fields);
    if (answer) { form.reset(); notice(`Property ${answer.id} is created.`); }
  } else if ("portfolio" in form.dataset) {
    const answer = await ask("POST", "/_records/openmoove/portfolio", { count: Number(form.elements.count.value), seed: Date.now() });
    if (answer) notice(`${answer.ids.length} properties are created.`);
  } else if ("changes" in form.dataset) {
    const answer = await options(null, form.elements.changes_a_day.value);
    if (answer) { form.reset(); notice(answer.changes_a_day ? `Sales change ${answer.changes_a_day} times a day.` : "Sales change by hand only."); }
  }
});

document.documentElement.classList.add("js");
window.addEventListener("hashchange", () => { showTab(); scrollTo(0, 0); });
settle();
watch();
