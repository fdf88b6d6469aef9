/** The character sets of HTTP/1.1 as tables over single bytes, the supported methods, and the syntax of Host and numbers. */

/** The methods that are forwarded (RFC 9110 §9, RFC 5789); a request with any other token gets 501. */
const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] as const;
export type Method = (typeof methods)[number];

const byName: ReadonlyMap<string, Method> = new Map(methods.map((method) => [method, method]));

export function asMethod(token: string): Method | null {
  return byName.get(token) ?? null;
}

const alphanumeric = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

function table(characters: string): Uint8Array {
  const allowed = new Uint8Array(256);
  for (const character of characters) allowed[character.charCodeAt(0)] = 1;
  return allowed;
}

/** tchar of RFC 9110 §5.6.2: field names and methods. */
export const tokenTable = table(`${alphanumeric}!#$%&'*+-.^_\`|~`);

export function isToken(text: string): boolean {
  for (let at = 0; at < text.length; at++) if (tokenTable[text.charCodeAt(at)] !== 1) return false;
  return text.length > 0;
}

/** Bytes of a field value (RFC 9110 §5.5): HTAB, SP, VCHAR and obs-text; no other control character, no DEL. */
export const valueTable = new Uint8Array(256);
valueTable[0x09] = 1;
for (let byte = 0x20; byte < 0x100; byte++) if (byte !== 0x7f) valueTable[byte] = 1;

/** pchar of RFC 3986 §3.3 without `%`; `%` and `/` are handled separately. */
export const pathTable = table(`${alphanumeric}-._~!$&'()*+,;=:@`);
/** query of RFC 3986 §3.4: pchar, `/` and `?`, without `%`. */
export const queryTable = table(`${alphanumeric}-._~!$&'()*+,;=:@/?`);

/** The value of a hex digit's character code, or -1. */
export function hexValue(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  const letter = code | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1;
}

/** uri-host [ ":" port ] (RFC 9110 §7.2), not empty, without percent-encoding. */
const hostPattern = /^(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._~!$&'()*+,;=-]+)(?::[0-9]{1,5})?$/;

export function isHost(value: string): boolean {
  return hostPattern.test(value);
}

/** Content-Length of RFC 9110 §8.6, at most 15 digits so that a number holds it exactly; -1: malformed. */
export function parseLength(value: string): number {
  if (value.length === 0 || value.length > 15) return -1;
  let length = 0;
  for (let at = 0; at < value.length; at++) {
    const digit = value.charCodeAt(at) - 0x30;
    if (digit < 0 || digit > 9) return -1;
    length = length * 10 + digit;
  }
  return length;
}
