/** Loads a configuration: text, schema, rules and certificate files, and tells everything that is wrong at once. */
import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import type { z } from 'zod';
import { ConfigError, type ConfigProblem } from '../errors.ts';
import type { RoutePolicy } from '../policy/snapshot.ts';
import { type Finding, type Path, parseConfigDocument } from './document.ts';
import { checkRules } from './rules.ts';
import { type Config, certificateSchema, clientsSchema, configSchema, trustSchema } from './schema.ts';
import {
  type CertificateNote,
  type LoadedServerCertificate,
  readServerCertificate,
} from './server-certificate.ts';
import { readRoutes } from './upstream-files.ts';

export interface LoadedConfig {
  readonly config: Config;
  readonly serverCertificates: readonly LoadedServerCertificate[];
  /** With the content of the files that their upstreams name. */
  readonly routes: readonly RoutePolicy[];
  /** Doubts that do not keep the gateway from running. */
  readonly warnings: readonly ConfigProblem[];
  /** Gives a finding of somebody else its place in the file: `['trust', 'anchors', 0, 'files', 1]`. */
  place(finding: Finding): ConfigProblem;
}

export interface ConfigExamination {
  readonly warnings: readonly ConfigProblem[];
  readonly problems: readonly ConfigProblem[];
  /** null where there are problems. */
  readonly loaded: LoadedConfig | null;
}

/** Throws ConfigError with every problem of the file and of the certificate files that it names. */
export async function loadConfig(file: string, now: number = Date.now()): Promise<LoadedConfig> {
  const { loaded, problems } = await examineConfig(file, now);
  if (loaded === null) throw new ConfigError(problems);
  return loaded;
}

/** Looks at the anchors' files as soon as `trust` is well-formed, whatever else is wrong; `clients` likewise. */
export type ExamineAnchors = (
  trust: Config['trust'],
  clients: Config['clients'] | null,
) => Promise<readonly Finding[]>;

/** The same, for those who want the warnings beside the problems. `now`: milliseconds since the epoch. */
export async function examineConfig(
  file: string,
  now: number = Date.now(),
  examineAnchors?: ExamineAnchors,
): Promise<ConfigExamination> {
  const text = await readText(file);
  if (typeof text !== 'string') {
    return { problems: [{ file, line: 1, column: 1, path: '', ...text }], warnings: [], loaded: null };
  }
  return examineText(text, { file, now, examineAnchors });
}

export async function examineText(
  text: string,
  options: {
    readonly file: string;
    readonly now: number;
    readonly examineAnchors?: ExamineAnchors | undefined;
  },
): Promise<ConfigExamination> {
  const { file, now, examineAnchors } = options;
  const { value, problems: syntax, place } = parseConfigDocument(text, file);
  if (value === undefined) return { problems: syntax, warnings: [], loaded: null };

  const folder = dirname(resolve(file));
  const { data, error } = configSchema(folder).safeParse(value);
  const rules = checkRules(value);
  const server = await examineCertificates(value, { folder, now });
  const upstream = await readRoutes(valueAt(value, ['routes']), { folder, now });
  const { data: trust } = trustSchema(folder).safeParse(valueAt(value, ['trust']));
  const { data: clients = null } = clientsSchema.safeParse(valueAt(value, ['clients']));
  const anchors = (trust && (await examineAnchors?.(trust, clients))) ?? [];
  const shape = (error?.issues ?? []).flatMap((issue) => findingsOf(issue, value));
  const found = [...shape, ...rules.problems, ...server.problems, ...upstream.problems, ...anchors].map(
    place,
  );
  const problems = [...syntax, ...found.filter(isFirstOfItsPath)].sort(byPosition);
  const warnings = [...rules.warnings, ...server.warnings, ...upstream.warnings].map(place).sort(byPosition);
  const loaded =
    data === undefined || problems.length > 0
      ? null
      : { config: data, serverCertificates: server.certificates, routes: upstream.routes, warnings, place };
  return { problems, warnings, loaded };
}

async function readText(file: string): Promise<string | { found: string; allowed: string }> {
  const allowed = 'a YAML file in UTF-8 that can be read';
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(await readFile(file));
  } catch (cause) {
    return {
      found: `a file that cannot be read (${(cause as NodeJS.ErrnoException).code ?? 'unknown'})`,
      allowed,
    };
  }
}

/** Every message of the schema is the phrase for what it allows; what was found is the document's to say. */
function findingsOf(issue: z.core.$ZodIssue, root: unknown, base: Path = []): Finding[] {
  const path = [...base, ...issue.path];
  if (issue.code === 'unrecognized_keys') {
    const found = 'an unknown key';
    return issue.keys.map((key) => ({ path: [...path, key], found, allowed: issue.message, atKey: true }));
  }
  if (issue.code === 'invalid_union') {
    // One mapping or a list of them: the shape that was written tells which of the two was meant.
    const value = valueAt(root, path);
    const meant = issue.errors.find((errors) => !errors.some(isOfAnotherShape));
    if (meant !== undefined && value instanceof Object)
      return meant.flatMap((inner) => findingsOf(inner, root, path));
  }
  return [{ path, allowed: issue.message }];
}

/** The value is of another shape than this part of the schema wants. */
function isOfAnotherShape({ code, path }: z.core.$ZodIssue): boolean {
  return path.length === 0 && (code === 'invalid_type' || code === 'invalid_value');
}

/** Reads the files of `listen.certificate` as soon as that part is well-formed, whatever else is wrong. */
async function examineCertificates(root: unknown, { folder, now }: { folder: string; now: number }) {
  const path: Path = ['listen', 'certificate'];
  const raw = valueAt(root, path);
  const { data: entries = [] } = certificateSchema(folder).safeParse(raw);
  const certificates: LoadedServerCertificate[] = [];
  const problems: Finding[] = [];
  const warnings: Finding[] = [];
  for (const [index, entry] of entries.entries()) {
    const place = ({ field, ...note }: CertificateNote): Finding => {
      return { path: [...path, ...(Array.isArray(raw) ? [index] : []), field], ...note };
    };
    const reading = await readServerCertificate(entry, now);
    const { loaded } = reading;
    problems.push(...reading.problems.map(place));
    warnings.push(...reading.warnings.map(place));
    if (loaded === undefined) continue;
    if (certificates.some(({ keyType }) => keyType === loaded.keyType)) {
      const found = `a second ${loaded.keyType} certificate`;
      problems.push(place({ field: 'chain', found, allowed: 'at most one certificate per key type' }));
    }
    certificates.push(loaded);
  }
  return { certificates, problems, warnings };
}

function valueAt(root: unknown, path: Path): unknown {
  return path.reduce<unknown>(
    (value, step) => (value instanceof Object ? Reflect.get(value, step) : undefined),
    root,
  );
}

/** A rule and the reader of a file may both stumble over one field: once is enough. */
function isFirstOfItsPath(problem: ConfigProblem, index: number, all: readonly ConfigProblem[]): boolean {
  return all.findIndex(({ path, found }) => path === problem.path && found === problem.found) === index;
}

function byPosition(a: ConfigProblem, b: ConfigProblem): number {
  return a.line - b.line || a.column - b.column;
}
