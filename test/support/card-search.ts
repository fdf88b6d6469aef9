/** Looks for planted card data in everything a process wrote, in the forms in which it could hide there. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** The label of every planted verification code: its three digits alone would match anywhere. */
export const cvv = 'CVV2-737';

/** A planted card number: its sixteen digits identify the place where it was planted. */
export function cardNumber(index: number): string {
  return `492912${String(index).padStart(4, '0')}987654`;
}

/** The first ten digits count as a match, since a longer text may have been cut after them. */
const planted = /492912\d{4}/g;

/** Beginnings of card numbers, or `cvv`, found in the text: as they are, escaped, percent-encoded, hex or base64. */
export function findCardData(text: string): string[] {
  const found = new Set<string>();
  for (const reading of readings(text)) {
    for (const [number] of reading.matchAll(planted)) found.add(number);
    if (reading.includes(cvv)) found.add(cvv);
  }
  return [...found];
}

/** Searches every file below a folder. */
export async function findCardDataIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name));
  const texts = await Promise.all(files.map((file) => readFile(file, 'latin1')));
  return files.flatMap((file, index) =>
    findCardData(`${file}\n${texts[index]}`).map((found) => `${file}: ${found}`),
  );
}

/** The text in the forms in which something could hide in it. */
export function* readings(text: string): Iterable<string> {
  yield text;
  // Separators between the digits do not matter.
  yield text.replace(/[^\dA-Za-z%\\\n]+/g, '');
  for (const run of text.match(/(?:[0-9a-f]{2}){8,}/gi) ?? [])
    yield Buffer.from(run, 'hex').toString('latin1');
  for (const run of text.match(/[\w+/-]{12,}/g) ?? []) {
    for (let skip = 0; skip < 4; skip++) yield Buffer.from(run.slice(skip), 'base64').toString('latin1');
  }
  let decoded = text;
  for (let before = ''; before !== decoded; ) {
    before = decoded;
    decoded = before
      .replace(/\\u00([0-9a-f]{2})/gi, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16)))
      .replace(/%([0-9a-f]{2})/gi, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16)));
    yield decoded;
    yield decoded.replace(/[^\dA-Za-z%\\\n]+/g, '');
  }
}
