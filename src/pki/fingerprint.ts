/** The two spellings of a SHA-256 fingerprint: with colons for people, lower hex for comparison. */

/** `abcd…` → `ab:cd:…`. Log masking looks for long runs of digits, so that a fingerprint in a message has colons. */
export function withColons(hex: string): string {
  return hex.replaceAll(/..(?!$)/g, '$&:');
}

/** `AB:CD:…` → `abcd…`, the form of `Certificate.sha256`. */
export function normalizeSha256(text: string): string {
  return text.replaceAll(':', '').toLowerCase();
}
