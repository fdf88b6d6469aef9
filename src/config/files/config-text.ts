/** Reads the text of a configuration file. */
import { isUtf8 } from 'node:buffer';
import { readFile } from 'node:fs/promises';

/** Never rejects: returns why the file cannot be read. A byte order mark at the start is skipped. */
export async function readConfigText(file: string): Promise<string | { found: string; allowed: string }> {
  const allowed = 'a YAML file in UTF-8 that can be read';
  try {
    const bytes = await readFile(file);
    if (isUtf8(bytes)) return new TextDecoder('utf-8').decode(bytes);
    const isUtf16 = ['fffe', 'feff'].includes(bytes.toString('hex', 0, 2));
    return { found: isUtf16 ? 'UTF-16 text' : 'bytes that are not UTF-8', allowed };
  } catch (cause) {
    return {
      found: `a file that cannot be read (${(cause as NodeJS.ErrnoException).code ?? 'unknown'})`,
      allowed,
    };
  }
}
