const STEPS = [
  ["year", 31_557_600],
  ["month", 2_629_800],
  ["week", 604_800],
  ["day", 86_400],
  ["hour", 3600],
  ["minute", 60],
];
const words = new Intl.RelativeTimeFormat("en", { numeric: "auto" });

function relative(then) {
  const seconds = (then - Date.now()) / 1000;
  const step = STEPS.find(([, size]) => Math.abs(seconds) >= size);
  return step ? words.format(Math.round(seconds / step[1]), step[0]) : "just now";
}

function write(element) {
  const then = Date.parse(element.dateTime);
  if (Number.isNaN(then)) return;
  element.title ||= element.textContent.trim(); // the server's own wording, in the learner's time zone
  const text = relative(then);
  if (element.textContent !== text) element.textContent = text;
}

const SELECTOR = "time[data-relative][datetime]";

/** Rewrites `<time data-relative datetime="…">` as "2 hours ago", each minute; the absolute date becomes the title. */
export function relativeTimes(root) {
  root.querySelectorAll(SELECTOR).forEach(write);
}

setInterval(() => document.querySelectorAll(SELECTOR).forEach(write), 60_000);
