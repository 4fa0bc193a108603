// Figures, times and words as every screen shows them. Decimals stay text: no float ever touches money.

const MINUS = "−";
export const NONE = "—";

export function grouped(text, places = 0) {
  if (text === null || text === undefined || text === "") return NONE;
  let [whole, fraction = ""] = String(text).split(".");
  const negative = whole.startsWith("-");
  if (negative) whole = whole.slice(1);
  if (fraction.length < places) fraction = fraction.padEnd(places, "0");
  whole = whole.replace(/\B(?=(\d{3})+(?!\d))/g, ",");
  return (negative ? MINUS : "") + whole + (fraction ? "." + fraction : "");
}

let zone = "Europe/London";
let timeOf, dateOf, nameOf;
export function useZone(name) {
  zone = name;
  timeOf = new Intl.DateTimeFormat("en-GB", { timeZone: zone, hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });
  dateOf = new Intl.DateTimeFormat("en-GB", { timeZone: zone, day: "2-digit", month: "short" });
  nameOf = new Intl.DateTimeFormat("en-GB", { timeZone: zone, timeZoneName: "short", hour: "2-digit" });
}
useZone(zone);

export const clock = (ms) => timeOf.format(ms);
export const zoneName = (ms) => nameOf.formatToParts(ms).find((part) => part.type === "timeZoneName").value;
let dayStart = 0;
let dayEnd = 0;
export function moment(ms, now) {
  if (now < dayStart || now >= dayEnd) {
    const today = dateOf.format(now);
    dayStart = now - (now % 60000);
    while (dateOf.format(dayStart - 60000) === today) dayStart -= 60000 * 30;
    dayEnd = now + 60000;
  }
  const text = `${clock(ms)}.${String(ms % 1000).padStart(3, "0")}`;
  return ms >= dayStart ? text : `${dateOf.format(ms)} ${clock(ms)}`;
}

export function age(ms) {
  const s = Math.max(0, Math.floor(ms / 1000));
  if (s < 60) return `${s}s`;
  if (s < 3600) return `${Math.floor(s / 60)}m ${String(s % 60).padStart(2, "0")}s`;
  if (s < 86400) return `${Math.floor(s / 3600)}h ${String(Math.floor((s % 3600) / 60)).padStart(2, "0")}m`;
  return `${Math.floor(s / 86400)}d ${Math.floor((s % 86400) / 3600)}h`;
}

// "10k", "1.2m", "1,000" as people type them, to plain digits; null when it is none of these.
export function typedNumber(text) {
  const match = /^\s*([0-9][0-9,]*)(?:\.([0-9]+))?\s*([kmKM]?)\s*$/.exec(text);
  if (!match) return null;
  let whole = match[1].replaceAll(",", "");
  let fraction = match[2] || "";
  const shift = { k: 3, m: 6 }[match[3].toLowerCase()] || 0;
  if (shift) {
    fraction = fraction.padEnd(shift, "0");
    whole += fraction.slice(0, shift);
    fraction = fraction.slice(shift);
  }
  fraction = fraction.replace(/0+$/, "");
  return (whole.replace(/^0+(?=\d)/, "") || "0") + (fraction ? "." + fraction : "");
}

// A span in words as people count it down; a minus once it is over.
export function timeLeft(ms) {
  const seconds = Math.trunc(ms / 1000);
  const total = Math.abs(seconds);
  const two = (value) => String(value).padStart(2, "0");
  let text = `${total}s`;
  if (total >= 86400) text = `${Math.trunc(total / 86400)}d ${Math.trunc((total % 86400) / 3600)}h`;
  else if (total >= 3600) text = `${Math.trunc(total / 3600)}h ${two(Math.trunc((total % 3600) / 60))}m`;
  else if (total >= 60) text = `${Math.trunc(total / 60)}m ${two(total % 60)}s`;
  return seconds < 0 ? `\u2212${text}` : text;
}
