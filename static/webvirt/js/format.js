// Numbers with their units, as the server writes them.
const UNITS = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
const BITS = ["bit/s", "kbit/s", "Mbit/s", "Gbit/s", "Tbit/s"];
export const DASH = "–";

function digits(value) {
  if (value === 0) return "0";
  const size = Math.abs(value);
  return value.toFixed(size < 9.995 ? 2 : size < 99.95 ? 1 : 0);
}

function scaled(value, step, units) {
  let power = 0;
  while (Math.abs(Math.round(value / step ** power)) >= step && power < units.length - 1) power += 1;
  return `${power ? digits(value / step ** power) : value.toFixed(0)} ${units[power]}`;
}

export const bytes = (value) => scaled(value, 1024, UNITS);

/** Bytes per second in words. */
export const rate = (value) => `${bytes(value)}/s`;

/** Bytes per second in bits, as networks are measured. */
export const bits = (value) => scaled(value * 8, 1000, BITS);

export const percent = (value) => `${Math.round(value)} %`;

/** `value` in the words of `format` (percent, bytes, rate, bits); a dash where it is not known. */
export function format(value, format) {
  if (value === null || value === undefined) return DASH;
  return { percent, bytes, rate, bits }[format](value);
}
