/** `ehi-gateway certs inspect`: what files and servers hold, and what the gateway would object to. */
import { exitCodes, UsageError } from '../errors.ts';
import { readClientPolicy } from '../inspection/client-policy.ts';
import { type Inspection, inspect } from '../inspection/inspected-items.ts';
import { describeInspected } from '../inspection/inspection-text.ts';
import { readConfiguration } from '../inspection/partial-configuration.ts';
import { certificateItem } from '../inspection/reading/certificate-item.ts';
import { readContents } from '../inspection/reading/file-contents.ts';
import type { ReadSource } from '../inspection/reading/item.ts';
import { fetchFile, MAX_BYTES, readSentChain, webSourceOf } from '../inspection/reading/web-source.ts';
import { readInput } from '../terminal/input-file.ts';
import { jsonLine } from '../terminal/json.ts';
import { printable } from '../terminal/printable.ts';
import { readSecret } from '../terminal/secret.ts';

export interface InspectOptions {
  readonly json: boolean;
  readonly passwordFile?: string;
  readonly as?: 'client' | 'server' | 'ca';
  readonly config?: string;
}

/**
 * Prints what each file, URL or `-` holds. Resolves with the exit code: 1 if the gateway objects to something, 64 if a part
 * cannot be read. Throws UsageError, UnreachableError, ConfigError.
 */
export async function inspectSources(names: readonly string[], options: InspectOptions): Promise<number> {
  const now = Date.now();
  const { config: file, as: role = null, json } = options;
  const policy =
    file === undefined ? null : await readClientPolicy((await readConfiguration(file)).config, { file, now });
  const sources: ReadSource[] = [];
  // One after the other: each may ask for a password.
  for (const name of names) sources.push(await readSource(name, options));
  const inspection = inspect(sources, { role, policy, now });
  process.stdout.write(json ? jsonLine(documentOf(inspection)) : textOf(inspection));
  for (const { source, at, found, allowed } of inspection.faults) {
    const place = at === null ? source : `${source}: ${at}`;
    process.stderr.write(`${printable(`${place}: found ${found}; allowed ${allowed}`)}\n`);
  }
  if (inspection.faults.length > 0) return exitCodes.usage;
  const isFine = inspection.items.every(({ judgement }) => (judgement?.objections.length ?? 0) === 0);
  return isFine ? exitCodes.drained : exitCodes.failed;
}

async function readSource(name: string, options: InspectOptions): Promise<ReadSource> {
  const web = webSourceOf(name);
  if (web?.kind === 'server') {
    const { certificates } = await readSentChain(web);
    const items = certificates.map((der, index) =>
      certificateItem(der, { at: `certificate ${index + 1} of ${certificates.length}, as sent` }),
    );
    return { source: name, isChain: true, items };
  }
  const bytes =
    web === null
      ? await readInput(name, { standardInput: true, maxBytes: MAX_BYTES })
      : await fetchFile(web.url);
  const password = () => passwordOf(name, options);
  return { source: name, isChain: false, items: await readContents(bytes, { password }) };
}

function passwordOf(name: string, { passwordFile }: InspectOptions): Promise<string> {
  if (passwordFile === undefined && name === '-')
    throw new UsageError('-: found a PKCS#12 file with a password; allowed with --password-file FILE');
  return readSecret({
    ...{ name: `password of ${printable(name)}`, option: '--password-file' },
    ...(passwordFile === undefined ? {} : { file: passwordFile }),
  });
}

function documentOf({ items, faults }: Inspection) {
  return { items, faults: faults.map(({ source, at, found, allowed }) => ({ source, at, found, allowed })) };
}

function textOf({ items }: Inspection): string {
  return items.map((item) => `${describeInspected(item)}\n`).join('\n');
}
