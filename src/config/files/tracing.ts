/** The settings of `tracing` with the content of the files that they name: the collector's CAs, and fields for it. */
import { readFile } from 'node:fs/promises';
import type { TracingSettings } from '../../tracing/settings.ts';
import type { Finding } from '../document.ts';
import type { TracingConfig } from '../schema/tracing.ts';
import { duplicates } from '../yaml-values.ts';
import { readAuthorities } from './authorities.ts';
import { ownersOnly, rightsOfOthers } from './permissions.ts';

interface TracingReading {
  /** null: off, or there is a problem. */
  readonly settings: TracingSettings | null;
  readonly problems: readonly Finding[];
  readonly warnings: readonly Finding[];
}

type Headers = TracingSettings['headers'];

const at = ['tracing', 'headersFile'];
const line = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?)[ \t]*$/;
/** What the request says of itself, and of its connection. */
const reserved = new Set([
  ...['connection', 'content-encoding', 'content-length', 'content-type', 'expect', 'host', 'keep-alive'],
  ...['te', 'trailer', 'transfer-encoding', 'upgrade'],
]);

const loopback = /^(?:localhost|127\.[\d.]+|\[::1\])$/;

/** What is wrong with a file is told, not thrown, and nothing of what the fields hold. */
export async function readTracing(tracing: TracingConfig, now: number): Promise<TracingReading> {
  const notes = { problems: [] as Finding[], warnings: [] as Finding[] };
  if (tracing === null) return { settings: null, ...notes };
  const { endpoint, serviceName, interval, headersFile, tls } = tracing;
  const headers = headersFile === undefined ? [] : await readHeaders(headersFile, notes.problems);
  const ca = tls === undefined ? null : await readAuthorities(tls.ca, { at: ['tracing', 'tls'], now, notes });
  if (headers.length > 0 && endpoint.startsWith('http:') && !loopback.test(new URL(endpoint).hostname)) {
    const allowed = 'an https endpoint, or a collector on this machine';
    notes.warnings.push({ path: at, found: 'fields that are sent without TLS', allowed });
  }
  const rights = headersFile === undefined ? null : await rightsOfOthers(headersFile);
  if (rights !== null) notes.warnings.push({ path: at, found: `a file ${rights}`, allowed: ownersOnly });
  if (notes.problems.length > 0) return { settings: null, ...notes };
  return { settings: { endpoint, serviceName, interval, headers, ca }, ...notes };
}

async function readHeaders(file: string, problems: Finding[]): Promise<Headers> {
  const refuse = (found: string): Headers => {
    problems.push({ path: at, found, allowed: 'a file of lines `name: value`, of fields that may be set' });
    return [];
  };
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (cause) {
    // Here people put the secret itself by mistake: the name is not repeated.
    return refuse(`a file that cannot be read (${(cause as NodeJS.ErrnoException).code ?? 'unreadable'})`);
  }
  const lines = text.split(/\r?\n/).map((written, index) => ({ parts: line.exec(written), written, index }));
  const fields = lines.filter(({ written }) => written.trim() !== '');
  const names = fields.map(({ parts }) => parts?.[1]?.toLowerCase());
  const wrong = fields.find((_, index) => names[index] === undefined || reserved.has(names[index] ?? ''));
  if (wrong !== undefined)
    return refuse(`line ${wrong.index + 1}, which is no field, or one that may not be set`);
  const [again] = duplicates(names, (name) => name);
  if (again !== undefined) return refuse(`line ${(fields[again]?.index ?? 0) + 1}, which sets a field again`);
  return fields.map(({ parts }, index) => [names[index] ?? '', parts?.[2] ?? ''] as const);
}
