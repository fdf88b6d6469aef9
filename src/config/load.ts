/** Loads a configuration: text, schema, rules and certificate files, and tells everything that is wrong at once. */
import { dirname, resolve } from 'node:path';
import { ConfigError, type ConfigProblem } from '../errors.ts';
import type { RoutePolicy } from '../policy/snapshot.ts';
import type { TracingSettings } from '../tracing/settings.ts';
import { type Finding, type Path, parseConfigDocument } from './document.ts';
import type { Notes } from './files/authorities.ts';
import { readText } from './files/config-text.ts';
import { filesOf } from './files/configured-files.ts';
import { readResumptionSecret } from './files/resumption-secret.ts';
import { readRoutes } from './files/routes.ts';
import type { LoadedServerCertificate } from './files/server-certificate.ts';
import { readServerCertificates } from './files/server-certificates.ts';
import { type Signatures, takeSignatures } from './files/signature.ts';
import { readTracing } from './files/tracing.ts';
import { type Issue, parseConfig } from './parse.ts';
import { checkRules } from './rules/rules.ts';
import type { Config } from './schema/schema.ts';
import { valueAt } from './yaml-values.ts';

const noNotes: Notes = { problems: [], warnings: [] };

export interface LoadedConfig {
  readonly config: Config;
  readonly serverCertificates: readonly LoadedServerCertificate[];
  /** The content of `listen.resumption.secretFile`; null: none is named. */
  readonly resumptionSecret: Buffer | null;
  /** The configuration and every file that it names and that is read at a load, as they were before that. */
  readonly files: Signatures;
  /** With the content of the files that their upstreams name. */
  readonly routes: readonly RoutePolicy[];
  /** null: off. */
  readonly tracing: TracingSettings | null;
  /** Doubts that do not keep the gateway from running. */
  readonly warnings: readonly ConfigProblem[];
  /** Gives a finding of somebody else its place in the file: `['trust', 'anchors', 0, 'files', 1]`. */
  place(finding: Finding): ConfigProblem;
}

export interface ConfigExamination {
  readonly warnings: readonly ConfigProblem[];
  readonly problems: readonly ConfigProblem[];
  /** As in LoadedConfig, as far as the configuration can be read: what is wrong may be put right in any of them. */
  readonly files: Signatures;
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
export type ExamineAnchors = (trust: Config['trust'], clients: Config['clients'] | null) => Promise<Notes>;

/** The same, for those who want the warnings beside the problems. `now`: milliseconds since the epoch. */
export async function examineConfig(
  file: string,
  now: number = Date.now(),
  examineAnchors?: ExamineAnchors,
): Promise<ConfigExamination> {
  const own = await takeSignatures([resolve(file)]);
  const text = await readText(file);
  if (typeof text !== 'string') {
    const problems = [{ file, line: 1, column: 1, path: '', ...text }];
    return { problems, warnings: [], files: own, loaded: null };
  }
  return examineText(text, { file, own, now, examineAnchors });
}

export async function examineText(
  text: string,
  options: {
    readonly file: string;
    /** The file's signature before it was read. */
    readonly own: Signatures;
    readonly now: number;
    readonly examineAnchors?: ExamineAnchors | undefined;
  },
): Promise<ConfigExamination> {
  const { file, own, now, examineAnchors } = options;
  const { value, problems: syntax, place } = parseConfigDocument(text, file);
  if (value === undefined) return { problems: syntax, warnings: [], files: own, loaded: null };

  const folder = dirname(resolve(file));
  const { config, issues, parts } = parseConfig(value, folder);
  const rules = checkRules(value);
  const files = new Map([...own, ...(await takeSignatures(filesOf(parts)))]);
  const server = await readServerCertificates(parts.certificates, now);
  const resumption = await readResumptionSecret(parts.resumption ?? null);
  const upstream = await readRoutes(parts.routes, now);
  const tracing = await readTracing(parts.tracing ?? null, now);
  const { trust, clients = null } = parts;
  const anchors = (trust && (await examineAnchors?.(trust, clients))) ?? noNotes;

  const shape = issues.flatMap((issue) => findingsOf(issue, value));
  const readings = [rules, server, resumption, upstream, tracing, anchors];
  const found = [shape, ...readings.map(({ problems }) => problems)].flat().map(place);
  const problems = [...syntax, ...found.filter(isFirstOfItsPath)].sort(byPosition);
  const warnings = readings
    .flatMap(({ warnings }) => warnings)
    .map(place)
    .sort(byPosition);
  if (config === undefined || problems.length > 0) return { problems, warnings, files, loaded: null };
  const loaded = {
    config,
    serverCertificates: server.certificates,
    resumptionSecret: resumption.secret,
    routes: upstream.routes,
    tracing: tracing.settings,
    files,
    warnings,
    place,
  };
  return { problems, warnings, files, loaded };
}

/** Every message of the schema is the phrase for what it allows; what was found is the document's to say. */
function findingsOf(issue: Issue, root: unknown, base: Path = []): Finding[] {
  const path = [...base, ...issue.path];
  if (issue.code === 'unrecognized_keys') {
    const found = 'an unknown key';
    // Where YAML 1.1 has a merge key, the document says what is wrong with it.
    const keys = issue.keys.filter((key) => key !== '<<');
    return keys.map((key) => ({ path: [...path, key], found, allowed: issue.message, atKey: true }));
  }
  if (issue.code === 'invalid_union') {
    // A mapping or a list or a word: the shape that was written tells which of them was meant.
    const meant = issue.errors.find((errors) => !errors.some(isOfAnotherShape));
    if (meant !== undefined && valueAt(root, path) instanceof Object) {
      return meant.flatMap((inner) => findingsOf(inner, root, path));
    }
  }
  return [{ path, allowed: issue.message }];
}

/** The value is of another shape than this part of the schema wants. */
function isOfAnotherShape({ code, path }: Issue): boolean {
  return path.length === 0 && (code === 'invalid_type' || code === 'invalid_value');
}

/** A rule and the reader of a file may both stumble over one field: once is enough. */
function isFirstOfItsPath(problem: ConfigProblem, index: number, all: readonly ConfigProblem[]): boolean {
  return all.findIndex(({ path, found }) => path === problem.path && found === problem.found) === index;
}

function byPosition(a: ConfigProblem, b: ConfigProblem): number {
  return a.line - b.line || a.column - b.column;
}
