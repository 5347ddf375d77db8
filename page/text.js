// How numbers are written, and how they get into the page.

export const element = (id) => document.getElementById(id);
export const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
export const known = (value) => value !== null && value !== undefined;
export const number = (value) => known(value) ? (value > 0 && value < 9.95 ? String(+value.toFixed(1)) : whole.format(value)) : "–";

export function bytes(value) {
    if (!known(value)) return "–";
    const unit = value < 2 ** 30 ? ["MiB", 2 ** 20] : value < 2 ** 40 ? ["GiB", 2 ** 30] : ["TiB", 2 ** 40];
    return `${(value / unit[1]).toFixed(value >= 100 * unit[1] ? 0 : 1)} ${unit[0]}`;
}

// Seconds, in the unit that needs the fewest digits.
export function duration(seconds) {
    if (!known(seconds)) return "–";
    if (seconds < 0.0995) return `${+(seconds * 1e3).toPrecision(2)} ms`;
    if (seconds < 0.9995) return `${Math.round(seconds * 1e3)} ms`;
    if (seconds < 9.95) return `${+seconds.toFixed(1)} s`;
    for (const [size, unit] of [[86400, "d"], [3600, "h"], [60, "min"]]) {
        if (seconds >= 2 * size) return `${Math.floor(seconds / size)} ${unit}`;
    }
    return `${Math.round(seconds)} s`;
}

export function set(id, text) {
    const target = element(id);
    if (target.textContent !== text) target.textContent = text;
}

// Fills a table in place, so that what is selected, focused or being read aloud stays. A cell is a text, or [text, class]; a
// mark before it is [text, class, mark].
export function fill(id, rows) {
    const body = element(id).tBodies[0];
    while (body.rows.length > rows.length) body.deleteRow(-1);
    rows.forEach((cells, place) => {
        const row = body.rows[place] ?? body.insertRow();
        cells.forEach((cell, column) => {
            const [text, name = "", mark = ""] = [].concat(cell);
            const target = row.cells[column] ?? row.insertCell();
            if (target.className !== name) target.className = name;
            const key = `${mark}\n${text}`;
            if (target.dataset.shown === key) return;
            target.dataset.shown = key;
            const dot = document.createElement("span");
            dot.className = `mark ${mark}`;
            target.replaceChildren(...(mark ? [dot, text] : [text]));
        });
        while (row.cells.length > cells.length) row.deleteCell(-1);
    });
}
