// A chart of the last 15 minutes: they end at the right edge, whatever part of them is known.

import { element, known } from "./text.js";

function drawing(name, attributes, text) {
    const result = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [key, value] of Object.entries(attributes)) result.setAttribute(key, value);
    if (text) result.textContent = text;
    return result;
}

// The least of 1, 2, 5, 10, … that is not below a value.
function ceiling(value, least) {
    if (!(value > least)) return least;
    const power = 10 ** Math.floor(Math.log10(value));
    return [1, 2, 5, 10].find((factor) => factor * power >= value * 0.999) * power;
}

export function draw(id, step, series, { stacked, format, least, label }) {
    const svg = element(id);
    const [width, height, left, bottom] = [svg.clientWidth, svg.clientHeight, 56, 20];
    if (width < left + 20) return;
    const slots = Math.round(900 / step);
    const count = Math.min(Math.max(...series.map(([, values]) => values.length)), slots);
    const base = Array(count).fill(0);
    const shapes = series.map(([name, values]) => {
        const tops = Array.from({ length: count }, (_, place) => {
            const value = values[values.length - count + place];
            return stacked ? base[place] + (value ?? 0) : value;
        });
        const shape = { name, tops, floor: stacked ? base.slice() : null };
        if (stacked) tops.forEach((top, place) => base[place] = top);
        return shape;
    });
    const top = ceiling(Math.max(0, ...shapes.flatMap((shape) => shape.tops.filter(known))), least);
    const x = (place) => left + (width - left) * (slots - count + place) / slots;
    const y = (value) => (height - bottom) * (1 - value / top) + 6 * value / top;
    const parts = [0, 0.5, 1].flatMap((share) => [
        drawing("line", { class: "grid", x1: left, x2: width, y1: y(top * share), y2: y(top * share) }),
        drawing("text", { x: left - 8, y: y(top * share) + 4, "text-anchor": "end" }, format(top * share)),
    ]);
    for (const minute of [15, 10, 5, 0]) {
        const text = minute ? `−${minute} min` : "now";
        const anchor = minute === 15 ? "start" : minute ? "middle" : "end";
        parts.push(drawing("text", { x: left + (width - left) * (15 - minute) / 15, y: height - 4, "text-anchor": anchor }, text));
    }
    for (const { name, tops, floor } of shapes) {
        const flat = (values, place) => `${x(place).toFixed(1)},${y(values[place]).toFixed(1)} ${x(place + 1).toFixed(1)},${y(values[place]).toFixed(1)}`;
        const places = [...tops.keys()].filter((place) => known(tops[place]));
        if (!places.length || (floor && places.every((place) => tops[place] === floor[place]))) continue;
        const along = places.map((place) => flat(tops, place));
        const back = floor ? places.toReversed().map((place) => flat(floor, place).split(" ").toReversed().join(" ")) : [];
        parts.push(drawing("path", { class: `${floor ? "area" : "line"} s-${name}`, d: `M${along.concat(back).join(" L")}${floor ? "Z" : ""}` }));
    }
    if (count < slots) parts.push(drawing("text", { x: x(0) - 8, y: 16, "text-anchor": "end" }, width > 400 ? "no data before the watchdog's start" : ""));
    svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    svg.setAttribute("aria-label", label);
    svg.replaceChildren(...parts);
}
