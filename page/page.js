// The operator's page: reads status.json once a second and shows it. It keeps nothing; a page that was opened just now shows
// as much as one that has been open for a day.
import { draw } from "./chart.js";
import { hostProblems, readHosts } from "./hosts.js";
import { bytes, duration, element, fill, known, number, set, whole } from "./text.js";

const INTERVAL = 1000;
// Milliseconds after which data that has not changed is old. The watchdog writes once a second.
const OLD = 5000;
const OUTCOMES = [
    ["accepted", "accepted"], ["discarded", "refused or dropped"], ["rate_limited", "over the rate limit (429)"],
    ["unavailable", "unavailable (503)"],
];
const DEGRADED = {
    postgresql: "PostgreSQL cannot be written to: events wait in the spool on this disk, and keys are as last read.",
    redis: "Redis cannot be reached: this host limits projects by itself.",
    spool: "The spool is more than 80 % full, or its disk accepts nothing.",
    backlog: "Nothing was delivered from the spool for a minute.",
    keys: "No key is known: every event is refused.",
    draining: "Draining: new events are refused until mesher drain --end.",
    eviction: "Redis evicts counters: projects may send more than their limit.",
};
const NEEDS = { postgresql: "PostgreSQL", redis: "Redis", storage: "storage" };

let status = null;
// When written_at last changed, by this browser's clock of uptime, and how old it was then.
let changedAt = 0;
let ageThen = 0;
// By how many milliseconds its time is before that of the answer.
let behind = 0;
let failure = "";
// The documents of the last seconds, for the rates of now.
let latest = [];

// By the clock that wrote the status: the browser's may differ.
const since = (at) => Math.max(status.written_at - at, 0);
const ago = (at) => known(at) ? `${duration(since(at))} ago` : "–";

// What is wrong, the worst first; each is [how bad it is, what it is]. Screen readers announce it, so no number is in it that
// changes all the time.

function problems() {
    const { storage, processes, health, dependencies } = status;
    const found = [];
    const drains = storage.degraded.includes("draining");
    if (!storage.ready && !drains) found.push(["bad", "No event can be stored: senders get 503. mesher check names the reason."]);
    for (const name of storage.degraded) {
        found.push([["keys", "draining"].includes(name) ? "bad" : "warning", DEGRADED[name] ?? `Impaired: ${name}.`]);
    }
    for (const [name, up] of Object.entries(dependencies)) {
        if (!up && !storage.degraded.includes(name)) found.push(["warning", `${NEEDS[name] ?? name} does not answer some process.`]);
    }
    const refused = status.recent.last_minute.discarded.unavailable;
    if (refused) found.push(["bad", "Events were refused with 503 in the last minute."]);
    if (behind > 30 * 1000) found.push(["warning", "status.json is dated long before the answer that brings it: a cache, or a wrong clock."]);
    const spool = storage.spool;
    if (spool?.fault) found.push(["bad", `The spool cannot be used: ${spool.fault}.`]);
    if (spool && spool.limit_bytes - spool.bytes > (spool.available_bytes ?? Infinity)) {
        found.push(["warning", "The disk will be full before the spool is."]);
    }
    if (spool && known(spool.available_inodes) && spool.available_inodes < 1000) found.push(["warning", "The spool's disk has few inodes left."]);
    if (spool?.quarantine) found.push(["warning", `Items in the quarantine: ${whole.format(spool.quarantine)}. mesher quarantine list.`]);
    for (const [name, check] of Object.entries(health)) {
        if (check.failures_in_row >= 3) found.push(["bad", `No answer through the ${name} socket.`]);
    }
    for (const process of processes) {
        if (process.state === "waiting") found.push(["warning", `${process.name} has ended early, and is restarted later.`]);
    }
    if (known(storage.partitions_ahead) && storage.partitions_ahead < 3) {
        found.push(["warning", `Partitions for ${storage.partitions_ahead} days ahead: mesher db maintain.`]);
    }
    if (status.last_reload && !status.last_reload.succeeded) found.push(["warning", "The last reload failed: the settings before it hold."]);
    if (status.last_maintenance?.result === "failed") found.push(["warning", "The last maintenance failed: journalctl -u mesher-maintenance."]);
    found.push(...hostProblems());
    return found.sort((one, other) => (other[0] === "bad") - (one[0] === "bad"));
}

// The data is old when it has not changed for a while, whether somebody answers or not: a cache would.
const age = () => ageThen + performance.now() - changedAt;
const isOld = () => !status || age() > OLD;

function oldness() {
    return failure || "status.json does not change: the watchdog is dead or stopped, or a cache answers. systemctl status mesher.";
}

function say(state, word, lines) {
    document.documentElement.dataset.state = state;
    set("word", word);
    const list = element("problems");
    if (list.textContent !== lines.join("")) {
        list.replaceChildren(...lines.map((line) => {
            const item = document.createElement("li");
            item.textContent = line;
            return item;
        }));
    }
}

function showVerdict() {
    if (isOld() && !(failure || status)) return;
    if (isOld()) {
        say("old", status ? "OLD DATA" : "NO DATA", [oldness()]);
        document.title = `⚠ ${status ? "old data" : "no data"} – Mesher`;
        // Not in the part that screen readers announce, or they would do so every second.
        set("rate", status ? duration(Math.round(age() / 1000)) : "–");
        set("unit", status ? "since this was written" : "");
        return set("written", "");
    }
    const found = problems();
    const state = found[0]?.[0] ?? "good";
    const spools = status.storage.degraded.includes("postgresql");
    const drains = status.storage.degraded.includes("draining");
    const word = drains ? "Draining" : !status.storage.ready ? "Refusing events" : spools ? "Storing events on disk" : "Storing events";
    say(state, word, found.map(([, text]) => text));
    document.title = `${state === "good" ? "✓" : state === "warning" ? "!" : "✕"} ${word} – Mesher`;
    set("unit", "events accepted a second");
    set("written", `written ${Math.round(age() / 1000)} s ago`);
}

// Rates of the last three seconds, from what was counted since then.
function rates() {
    const [first, last] = [latest[0], latest[latest.length - 1]];
    const seconds = last.written_at - first.written_at;
    if (!(seconds > 0)) return {};
    const of = (count) => Math.max(count(last) - count(first), 0) / seconds;
    const reasons = Object.keys(last.events.discarded);
    const sum = (names) => of((one) => names.reduce((total, name) => total + (one.events.discarded[name] ?? 0), 0));
    return {
        accepted: of((one) => one.events.accepted), rate_limited: sum(["rate_limited"]), unavailable: sum(["unavailable"]),
        discarded: sum(reasons.filter((name) => !["rate_limited", "unavailable"].includes(name))),
        refused: sum(reasons),
    };
}

function showEvents() {
    const now = rates();
    // Where its place says how old the data is, one reading has no rate.
    if (!isOld()) set("rate", number(now.accepted));
    set("refused", number(now.refused));
    const recent = status.recent;
    const total = (counts, name) => name === "accepted" ? counts.accepted
        : name !== "discarded" ? counts.discarded[name] ?? 0
        : Object.entries(counts.discarded).reduce((sum, [reason, count]) => reason === "rate_limited" || reason === "unavailable" ? sum : sum + count, 0);
    fill("outcomes", OUTCOMES.map(([name, words]) => [
        [words, "", `s-${name === "rate_limited" ? "limited" : name}`], number(now[name]),
        ...[recent.last_minute, recent.all, status.events].map((counts) => number(total(counts, name))),
    ]));
    const drawn = OUTCOMES.map(([name]) => [name === "rate_limited" ? "limited" : name, recent.rates[name]]);
    draw("events", recent.step, drawn, {
        stacked: true, format: number, least: 1,
        label: `Events a second in the last 15 minutes, by outcome. Accepted in 15 minutes: ${number(recent.all.accepted)}.`,
    });
    draw("latency", recent.step, [["p50", recent.p50], ["p99", recent.p99]], {
        stacked: false, format: duration, least: 0.002,
        label: `Latency in the last 15 minutes. Now p50 ${duration(status.latency.p50)}, p99 ${duration(status.latency.p99)}.`,
    });
    const { discarded } = status.events;
    const named = Object.keys(discarded).filter((name) => discarded[name] > 0)
        .sort((one, other) => (recent.all.discarded[other] ?? 0) - (recent.all.discarded[one] ?? 0) || discarded[other] - discarded[one]);
    const rows = named.slice(0, 12).map((name) => [name, number(recent.last_minute.discarded[name] ?? 0), number(recent.all.discarded[name] ?? 0), number(discarded[name])]);
    fill("reasons", rows.length ? rows : [[["none", "quiet"], "", "", ""]]);
    const near = (status.near_limits ?? []).map((one) => {
        const share = one.limit ? one.used / one.limit : 1;
        return [String(one.id), [`${Math.floor(share * 100)} %`, share >= 1 ? "bad" : share >= 0.8 ? "warning" : ""], `${whole.format(one.used)} of ${whole.format(one.limit)}`, duration(one.ends_in)];
    });
    fill("near", near.length ? near : [[["none", "quiet"], "", "", ""]]);
}

function showProcesses() {
    set("inhand", number(status.processes.filter((one) => one.role === "worker").reduce((sum, one) => sum + one.in_hand, 0)));
    set("p50", duration(status.latency.p50));
    set("p99", duration(status.latency.p99));
    set("sessions", number(status.streams.sessions));
    fill("processes", status.processes.map((one) => {
        const stuck = one.executing_for > 1 ? `, ${duration(one.executing_for)} with one body` : one.heartbeat_age > 5 ? `, silent for ${duration(one.heartbeat_age)}` : "";
        const start = one.state === "waiting" && known(one.starts_at) ? `, starts in ${duration(Math.max(one.starts_at - status.written_at, 0))}` : "";
        const level = one.state === "ready" && !stuck ? "good" : one.state === "waiting" ? "bad" : "warning";
        return [one.name, [one.state + start + stuck, level], known(one.started_at) ? duration(since(one.started_at)) : "–", number(one.restarts), number(one.requests_per_second), number(one.in_hand), bytes(one.memory_bytes)];
    }));
    const checks = Object.entries(status.health).map(([name, check]) => [
        `${name} socket`,
        check.failures_in_row ? [`failed ${number(check.failures_in_row)}×, ${ago(check.at)}`, "bad"] : [`${duration(check.duration)}, ${ago(check.at)}`, "good"],
    ]);
    fill("needs", Object.entries(status.dependencies).map(([name, up]) => [NEEDS[name] ?? name, up ? ["up", "good"] : ["down", "bad"]]).concat(checks));
}

function showStorage() {
    const { storage, streams, last_reload: reload, last_maintenance: upkeep } = status;
    const spool = storage.spool;
    element("fill").value = spool && spool.limit_bytes ? spool.bytes / spool.limit_bytes : 0;
    set("spooled", number(spool?.events));
    fill("spool", spool ? [
        ["Used by both", `${bytes(spool.bytes)} of ${bytes(spool.limit_bytes)}`],
        ["Events waiting", [number(spool.events), spool.events ? "warning" : ""]],
        ["Oldest received", spool.events ? ago(spool.oldest_received_at) : "–"],
        ["Delivered/s", number(status.recent.delivered_per_second)],
        ["In the quarantine", [number(spool.quarantine), spool.quarantine ? "warning" : ""]],
        ["Free on its disk", bytes(spool.available_bytes)],
        ["Inodes free there", known(spool.available_inodes) ? whole.format(spool.available_inodes) : "no limit"],
    ] : [["Storage has not said yet", "–"]]);
    const rows = [["Last commit", ago(storage.last_commit_at)], ["Partitions ahead", `${number(storage.partitions_ahead)} days`]];
    rows.push(["Keys on disk as of", ago(storage.keys_saved_at)]);
    rows.push(["Last maintenance", upkeep ? [`${upkeep.result}, ${ago(upkeep.at)}`, upkeep.result === "failed" ? "bad" : ""] : "none since the boot"]);
    rows.push(["Last reload", reload ? [`${reload.succeeded ? "succeeded" : "failed"}, ${ago(reload.at)}`, reload.succeeded ? "" : "bad"] : "none"]);
    rows.push(["Held for WebSockets", `${bytes(streams.memory_bytes)}${known(streams.memory_limit_bytes) ? ` of ${bytes(streams.memory_limit_bytes)}` : ""}`]);
    if (known(streams.processes_bytes)) rows.push(["Their processes, about", bytes(streams.processes_bytes)]);
    const held = streams.projects_held_back;
    if (held.count) rows.push(["Projects that wait: beyond their share", [`${number(held.count)} (${held.ids.join(", ")})`, "warning"]]);
    rows.push(["Log lines dropped", [number(status.log_lines_dropped), status.log_lines_dropped ? "warning" : ""]]);
    fill("storage", rows);
}

function showLists() {
    const levels = { notice: "", warning: "warning", error: "bad", critical: "bad" };
    const time = (at) => new Date(at * 1000).toLocaleString("sv", since(at) < 43200 ? { timeStyle: "medium" } : { dateStyle: "short", timeStyle: "medium" });
    const lines = status.log.toReversed().slice(0, 12).map((line) => [
        [time(line.at), "quiet"], [line.level, levels[line.level]],
        `${line.program}: ${line.text}${line.count > 1 ? ` (${whole.format(line.count)} times)` : ""}`,
    ]);
    fill("log", lines.length ? lines : [[["nothing since the watchdog's start", "quiet"]]]);
}

function take(next, date) {
    if (next.written_at !== status?.written_at) {
        changedAt = performance.now();
        // What was there first may be an hour old: the answer's date says so. What changes is not.
        behind = date ? Math.max(Date.parse(date) - next.written_at * 1000, 0) : 0;
        ageThen = status ? 0 : behind;
        latest = latest.concat(next).filter((one) => one.written_at <= next.written_at && next.written_at - one.written_at < 3.5);
    }
    status = next;
}

async function fetched() {
    const answer = await fetch("status.json", { cache: "no-store", signal: AbortSignal.timeout(4000) });
    if (answer.status === 404) throw new Error("There is no status.json: no watchdog runs. systemctl status mesher.");
    if (!answer.ok) throw new Error(`nginx answers ${answer.status} for status.json.`);
    const read = await answer.json();
    if (!read.recent) throw new Error("The watchdog is of an older release than this page. systemctl restart mesher.");
    return [read, answer.headers.get("Date")];
}

async function read() {
    try {
        take(...await fetched());
        failure = "";
    } catch (error) {
        failure = error.name === "Error" ? error.message
            : error.name === "SyntaxError" ? "What is answered for status.json is not JSON."
            : "status.json cannot be fetched: nginx does not answer.";
    }
    // A document of another release may lack something: the verdict below still says how old it is.
    if (!failure) set("version", status.version);
    if (!failure) for (const show of [showEvents, showProcesses, showStorage, showLists]) show();
    showVerdict();
}

set("host", location.host);
// Also while an answer is waited for.
setInterval(showVerdict, INTERVAL);
// A page that nobody saw was not read either: its data is not old before it was asked for again.
document.addEventListener("visibilitychange", () => { if (!document.hidden) changedAt = performance.now(); });
readHosts();
addEventListener("resize", () => { if (status) showEvents(); });
(async () => {
    for (;;) {
        const pause = new Promise((resume) => setTimeout(resume, INTERVAL));
        await read().catch(console.error);
        await pause;
    }
})();
