// Timestamps of the API: RFC 3339 in UTC, whole seconds (Time) or microseconds (MicroTime).
// Pure conversions; nothing here asks what time it is.

const RFC3339 =
  /^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])T([01]\d|2[0-3]):[0-5]\d:([0-5]\d|60)(\.\d{1,9})?(Z|[+-]([01]\d|2[0-3]):[0-5]\d)$/;

/** Milliseconds since 1970, or undefined when the text is no RFC 3339 timestamp (or absent). */
export function parseTime(text: string | undefined): number | undefined {
  if (text === undefined || !RFC3339.test(text)) return undefined;
  const ms = Date.parse(text);
  return Number.isNaN(ms) ? undefined : ms;
}

/** `2026-01-02T03:04:05Z`: whole seconds, the rest cut off. */
export function formatTime(ms: number): string {
  const second = Math.floor(ms / 1000);
  if (second !== lastTime.second)
    lastTime = { second, text: `${new Date(ms).toISOString().slice(0, 19)}Z` };
  return lastTime.text;
}

/** The text of the second that was asked for last: most writes of a server fall into the same one, and each writes it twice. */
let lastTime = { second: Number.NaN, text: '' };

/** `2026-01-02T03:04:05.678000Z`; fractions of a millisecond are kept to the microsecond. */
export function formatMicroTime(ms: number): string {
  const whole = Math.floor(ms);
  const micros = Math.floor((ms - whole) * 1000);
  return `${new Date(whole).toISOString().slice(0, 23)}${String(micros).padStart(3, '0')}Z`;
}
