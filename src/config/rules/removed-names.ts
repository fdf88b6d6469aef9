/** Whether an entry of `identity.remove` matches a field. */

/** `entry`: a field name; a `*` at its end matches any rest. Case does not matter. */
export function removes(entry: unknown, name: string): boolean {
  if (typeof entry !== 'string') return false;
  const [written, field] = [entry.toLowerCase(), name.toLowerCase()];
  return written.endsWith('*') ? field.startsWith(written.slice(0, -1)) : written === field;
}
