// All hosts, if nginx has a list of them in hosts.json: the status.json of each, and their sum.
import { duration, element, fill, number } from "./text.js";

const INTERVAL = 2000;
// Milliseconds after which a status that has not changed is old.
const OLD = 5000;
// Why a status cannot be used.
const WORDS = { TimeoutError: "does not answer", SyntaxError: "answers no JSON" };
// By name: the status, when it last changed by this browser's clock of uptime, and why it cannot be read now.
let hosts = new Map();

const add = (values) => values.reduce((total, value) => total + (value ?? 0), 0);

function counts({ events, processes, storage, streams }) {
    return {
        rate: add(processes.map((one) => one.requests_per_second)), accepted: events.accepted,
        discarded: add(Object.values(events.discarded)), sessions: streams.sessions, spooled: storage.spool?.events ?? 0,
        quarantine: storage.spool?.quarantine ?? 0,
    };
}

const cells = (one, oldest) => [
    number(one.rate), number(one.accepted), number(one.discarded), number(one.sessions), number(one.spooled), oldest,
    number(one.quarantine),
];

// How a host is, in words, and how bad that is.
function state({ status, changedAt, failure }) {
    if (failure) return [failure, "bad"];
    const age = performance.now() - changedAt;
    if (age > OLD) return [`old data, ${duration(Math.round(age / 1000))}`, "bad"];
    if (!status.storage.ready) return ["refuses events", "bad"];
    const { degraded } = status.storage;
    return degraded.length ? [`degraded: ${degraded.join(", ")}`, "warning"] : ["ready", "good"];
}

// What is wrong with others, as page.js says it of this one.
export function hostProblems() {
    const words = { bad: "Hosts that are not well", warning: "Hosts that are impaired" };
    return Object.entries(words).flatMap(([level, text]) => {
        const names = [...hosts].filter(([, host]) => state(host)[1] === level).map(([name]) => name);
        return names.length ? [["warning", `${text}: ${names.join(", ")}.`]] : [];
    });
}

function show() {
    element("all").hidden = hosts.size === 0;
    const read = [...hosts.values()].filter((host) => !host.failure).map((host) => host.status);
    const rows = [...hosts].map(([name, host]) => {
        const spool = host.failure ? null : host.status.storage.spool;
        const oldest = spool?.events ? duration(Math.max(host.status.written_at - spool.oldest_received_at, 0)) : "–";
        return [name, state(host), ...(host.failure ? Array(7).fill("–") : cells(counts(host.status), oldest))];
    });
    const each = read.map(counts);
    const sum = Object.fromEntries(Object.keys(each[0] ?? {}).map((key) => [key, add(each.map((one) => one[key]))]));
    const ready = read.filter((status) => status.storage.ready).length;
    fill("hosts", [...rows, [`all ${hosts.size}`, `${ready} ready`, ...cells(sum, "")]]);
}

async function json(path) {
    const answer = await fetch(path, { cache: "no-store", signal: AbortSignal.timeout(4000) });
    if (!answer.ok) throw new Error(answer.status === 502 || answer.status === 504 ? "does not answer" : `answers ${answer.status}`);
    return answer.json();
}

async function readHost(name) {
    const before = hosts.get(name);
    try {
        const status = await json(`hosts/${encodeURIComponent(name)}/status.json`);
        counts(status);
        const isSame = before?.status?.written_at === status.written_at;
        return [name, { status, changedAt: isSame ? before.changedAt : performance.now() }];
    } catch (error) {
        const failure = error.name === "Error" ? error.message : WORDS[error.name] ?? "is of another release";
        return [name, { ...before, failure }];
    }
}

async function read() {
    hosts = new Map(await Promise.all((await json("hosts.json")).map(readHost)));
    show();
}

// A page that nobody saw was not read either.
document.addEventListener("visibilitychange", () => {
    if (!document.hidden) for (const host of hosts.values()) host.changedAt = performance.now();
});
// Without an answer of nginx the page says already that its data is old.
export async function readHosts() {
    for (;;) {
        const pause = new Promise((resume) => setTimeout(resume, INTERVAL));
        await read().catch(() => {});
        await pause;
    }
}
