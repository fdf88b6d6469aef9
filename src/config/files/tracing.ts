/** Reads the files of `tracing`: the collector's CAs, and header fields for its requests. */
import { readFile } from 'node:fs/promises';
import type { TracingSettings } from '../../tracing/settings.ts';
import { type Diagnostic, noDiagnostics } from '../diagnostic.ts';
import type { TracingConfig } from '../schema/tracing.ts';
import { duplicates } from '../yaml-values.ts';
import { readAuthorities } from './ca-file.ts';
import { ownersOnly, rightsOfOthers } from './permissions.ts';

interface TracingReading {
  /** null: off, or there is a problem. */
  readonly settings: TracingSettings | null;
  readonly problems: readonly Diagnostic[];
  readonly warnings: readonly Diagnostic[];
}

type Headers = TracingSettings['headers'];

const at = ['tracing', 'headersFile'];
const line = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?)[ \t]*$/;
/** Fields that the HTTP client sets itself. */
const reserved = new Set([
  ...['connection', 'content-encoding', 'content-length', 'content-type', 'expect', 'host', 'keep-alive'],
  ...['te', 'trailer', 'transfer-encoding', 'upgrade'],
]);

const loopback = /^(?:localhost|127\.[\d.]+|\[::1\])$/;

/** Reports what is wrong with a file, without throwing and without field values. `now`: milliseconds since the epoch. */
export async function readTracing(tracing: TracingConfig, now: number): Promise<TracingReading> {
  const diagnostics = noDiagnostics();
  if (tracing === null) return { settings: null, ...diagnostics };
  const { endpoint, serviceName, interval, headersFile, tls } = tracing;
  const headers = headersFile === undefined ? [] : await readHeaders(headersFile, diagnostics.problems);
  const ca =
    tls === undefined ? null : await readAuthorities(tls.ca, { at: ['tracing', 'tls'], now, diagnostics });
  if (headers.length > 0 && endpoint.startsWith('http:') && !loopback.test(new URL(endpoint).hostname)) {
    const allowed = 'an https endpoint, or a collector on this machine';
    diagnostics.warnings.push({ path: at, found: 'header fields that are sent without TLS', allowed });
  }
  const rights = headersFile === undefined ? null : await rightsOfOthers(headersFile);
  if (rights !== null)
    diagnostics.warnings.push({ path: at, found: `a file ${rights}`, allowed: ownersOnly });
  if (diagnostics.problems.length > 0) return { settings: null, ...diagnostics };
  return { settings: { endpoint, serviceName, interval, headers, ca }, ...diagnostics };
}

async function readHeaders(file: string, problems: Diagnostic[]): Promise<Headers> {
  const refuse = (found: string): Headers => {
    problems.push({
      path: at,
      found,
      allowed: 'a file with one `name: value` on each line, for fields that may be set',
    });
    return [];
  };
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (cause) {
    // Operators write the secret itself here by mistake: the name is not repeated.
    return refuse(`a file that cannot be read (${(cause as NodeJS.ErrnoException).code ?? 'unreadable'})`);
  }
  const lines = text.split(/\r?\n/).map((written, index) => ({ parts: line.exec(written), written, index }));
  const fields = lines.filter(({ written }) => written.trim() !== '');
  const names = fields.map(({ parts }) => parts?.[1]?.toLowerCase());
  const wrong = fields.find((_, index) => names[index] === undefined || reserved.has(names[index] ?? ''));
  if (wrong !== undefined)
    return refuse(`line ${wrong.index + 1}, which is not a field, or a field that may not be set`);
  const [again] = duplicates(names, (name) => name);
  if (again !== undefined) return refuse(`line ${(fields[again]?.index ?? 0) + 1}, which sets a field again`);
  return fields.map(({ parts }, index) => [names[index] ?? '', parts?.[2] ?? ''] as const);
}
