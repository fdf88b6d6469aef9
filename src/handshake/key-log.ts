/** Reads the traffic secrets that OpenSSL writes to the key log, in the NSS key log format. */

const SPACE = 0x20;

/**
 * The secret in a line with this label; null: the line has another label. The secret never becomes a string, which could
 * not be wiped; wipe the returned buffer after use.
 */
export function readSecret(line: Buffer, label: string): Buffer | null {
  if (line.indexOf(`${label} `, 0, 'latin1') !== 0) return null;
  return decodeHex(line, line.lastIndexOf(SPACE) + 1);
}

/** Decodes hexadecimal digits from `at` to the end of the line. */
function decodeHex(line: Buffer, at: number): Buffer {
  const bytes = Buffer.alloc((line.length - at) >> 1);
  for (let index = 0; index < bytes.length; index++) {
    const digits = at + 2 * index;
    bytes[index] = (digitOf(line[digits]) << 4) | digitOf(line[digits + 1]);
  }
  return bytes;
}

function digitOf(code = 0): number {
  return code < 0x3a ? code - 0x30 : (code | 0x20) - 0x57;
}
