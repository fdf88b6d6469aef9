/** Looks for planted secrets, such as tokens, in everything a process wrote: a part of one counts as a match. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readings } from './card-search.ts';

/** Characters of a part: long enough that no other text has it by chance, short enough to find a secret that was cut. */
const partLength = 12;

export class SecretSearch {
  /** Part → the name of its secret. */
  readonly #parts = new Map<string, string>();

  /** Returns `secret`, of at least two parts, so that it can be planted where it is made. */
  plant(name: string, secret: string): string {
    if (secret.length < 2 * partLength) throw new Error(`${name} is too short to be found`);
    for (let at = 0; at + partLength <= secret.length; at += partLength)
      this.#parts.set(secret.slice(at, at + partLength), name);
    return secret;
  }

  /** The names of the secrets of which at least a part is in the text: as it is, escaped, percent-encoded, hex or base64. */
  find(text: string): string[] {
    const found = new Set<string>();
    for (const reading of readings(text)) {
      for (let at = 0; at + partLength <= reading.length; at++) {
        const name = this.#parts.get(reading.slice(at, at + partLength));
        if (name !== undefined) found.add(name);
      }
    }
    return [...found];
  }

  /** Searches every file below a folder, except those with these names. */
  async findIn(folder: string, except: readonly string[]): Promise<string[]> {
    const entries = await readdir(folder, { recursive: true, withFileTypes: true });
    const files = entries
      .filter((entry) => entry.isFile() && !except.includes(entry.name))
      .map(({ parentPath, name }) => join(parentPath, name));
    const texts = await Promise.all(files.map((file) => readFile(file, 'latin1')));
    return files.flatMap((file, index) =>
      this.find(`${file}\n${texts[index]}`).map((found) => `${file}: ${found}`),
    );
  }
}
