// Small pieces of drawing.

export const $ = (id) => document.getElementById(id);

/** An element with these properties and children; texts become text and nothing else. */
export function element(name, properties = {}, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

/** Fills a list of terms and descriptions; rows without a value are left out. */
export function fillTerms(list, rows) {
  const shown = rows.filter(([, value]) => value !== null && value !== undefined && value !== '');
  list.replaceChildren(...shown.flatMap(([term, ...value]) => [element('dt', {}, term), element('dd', {}, ...value)]));
}

/** A size in bytes, for people. */
export function size(bytes) {
  const [unit, divisor] = bytes < 1000 ? ['B', 1] : bytes < 1e6 ? ['kB', 1e3] : bytes < 1e9 ? ['MB', 1e6] : ['GB', 1e9];
  return `${divisor === 1 ? bytes : (bytes / divisor).toFixed(1)} ${unit}`;
}

/** A length of time as days, hours, minutes and seconds. */
export function span(ms, language) {
  const seconds = Math.floor(ms / 1000);
  const [days, rest] = [Math.floor(seconds / 86_400), seconds % 86_400];
  const clock = [Math.floor(rest / 3600), Math.floor(rest / 60) % 60, rest % 60].map((part) => String(part).padStart(2, '0')).join(':');
  const unit = language === 'en' ? (days === 1 ? ' day ' : ' days ') : ' 天 ';
  return days > 0 ? `${days}${unit}${clock}` : clock;
}

/** The platform's local form of an instant, `2026-04-11T09:00:00.000+08:00`, for people. */
export const local = (text) => text?.replace('T', ' ').replace(/\.\d+/, '').replace(/([+-]\d\d):00$/, ' (UTC$1)') ?? null;

/** An instant in China, in the same form. */
export const inChina = (ms) => `${new Date(ms + 8 * 3_600_000).toISOString().slice(0, 19).replace('T', ' ')} (UTC+08)`;

/** Offers a text as a file. */
export function download(name, text) {
  const url = URL.createObjectURL(new Blob([text], { type: 'application/json' }));
  element('a', { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
