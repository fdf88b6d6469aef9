/** Loads a configuration: text, schema, rules, and the files that it names. Reports all problems together. */
import type { KeyObject } from 'node:crypto';
import { dirname, resolve } from 'node:path';
import type { ConfigProblem } from '../errors.ts';
import type { IntrospectionSettings } from '../introspection/settings.ts';
import type { KeySource } from '../keys/settings.ts';
import type { RoutePolicy } from '../policy/snapshot.ts';
import type { TracingSettings } from '../tracing/settings.ts';
import { type Diagnostic, type Diagnostics, noDiagnostics, type Path } from './diagnostic.ts';
import { parseConfigDocument } from './document.ts';
import { readAuditKey } from './files/audit-key.ts';
import { readConfigText } from './files/config-text.ts';
import { filesOf } from './files/configured-files.ts';
import { type FileVersions, takeVersions } from './files/file-version.ts';
import { readIntrospections } from './files/introspection.ts';
import { keySourcesIn, readKeySources } from './files/key-sources.ts';
import { readResumptionSecret } from './files/resumption-secret.ts';
import type { LoadedServerCertificate } from './files/server-certificate.ts';
import { readServerCertificates } from './files/server-certificates.ts';
import { readTracing } from './files/tracing.ts';
import { readRoutes } from './files/upstream-tls.ts';
import { type ConfigParts, type Issue, parseConfig } from './parse.ts';
import { checkRules } from './rules/rules.ts';
import type { Config } from './schema/schema.ts';
import { valueAt } from './yaml-values.ts';

export interface LoadedConfig {
  readonly config: Config;
  readonly serverCertificates: readonly LoadedServerCertificate[];
  /** The content of `listen.resumption.secretFile`; null if it is not set. */
  readonly resumptionSecret: Buffer | null;
  /** The key of `audit.seal.key`; null if it is not set. */
  readonly auditKey: KeyObject | null;
  /** Versions of the configuration file and of every file that it names, taken before each was read. */
  readonly files: FileVersions;
  /** With the content of the files that their upstreams name. */
  readonly routes: readonly RoutePolicy[];
  /** null: off. */
  readonly tracing: TracingSettings | null;
  /** Every key set that the configuration names, with the keys of those from files. */
  readonly keySources: readonly KeySource[];
  /** Every introspection endpoint, with the credentials for it. */
  readonly introspections: readonly IntrospectionSettings[];
  /** They do not keep the gateway from running. */
  readonly warnings: readonly ConfigProblem[];
  /** Adds file, line and column to a diagnostic, such as one at `['trust', 'anchors', 0, 'files', 1]`. */
  locate(diagnostic: Diagnostic): ConfigProblem;
}

export interface ConfigExamination {
  readonly warnings: readonly ConfigProblem[];
  readonly problems: readonly ConfigProblem[];
  /** As in LoadedConfig, for the parts that are valid: a change of any of these files may mend the configuration. */
  readonly files: FileVersions;
  /** null if there are problems. */
  readonly loaded: LoadedConfig | null;
}

/** Checks the anchors. Called if `trust` is valid, even where another part is not. `clients` is null if not valid. */
type ExamineAnchors = (trust: Config['trust'], clients: Config['clients'] | null) => Promise<Diagnostics>;

/** Reads the file and the files that it names. Does not throw for what they hold. `now`: milliseconds since the epoch. */
export async function examineConfig(
  file: string,
  now: number = Date.now(),
  examineAnchors?: ExamineAnchors,
): Promise<ConfigExamination> {
  const own = await takeVersions([resolve(file)]);
  const text = await readConfigText(file);
  if (typeof text !== 'string') {
    const problems = [{ file, line: 1, column: 1, path: '', ...text }];
    return { problems, warnings: [], files: own, loaded: null };
  }
  return examineText(text, { file, own, now, examineAnchors });
}

interface ExamineOptions {
  readonly file: string;
  /** The file's version before it was read. */
  readonly own: FileVersions;
  readonly now: number;
  readonly examineAnchors?: ExamineAnchors | undefined;
}

export async function examineText(text: string, options: ExamineOptions): Promise<ConfigExamination> {
  const { file, own, now, examineAnchors } = options;
  const { value, problems: syntax, locate } = parseConfigDocument(text, file);
  if (value === undefined) return { problems: syntax, warnings: [], files: own, loaded: null };

  const { config, issues, parts } = parseConfig(value, dirname(resolve(file)));
  const rules = checkRules(value);
  const files = new Map([...own, ...(await takeVersions(filesOf(parts)))]);
  const read = await readFiles(parts, now);
  const { certificates, resumption, routes, auditKey, tracing, keySets, introspections } = read;
  const { trust, clients = null } = parts;
  const anchors = (trust && (await examineAnchors?.(trust, clients))) ?? noDiagnostics();

  const shape = issues.flatMap((issue) => diagnosticsOf(issue, value));
  const checks = [rules, ...Object.values(read), anchors];
  const located = [shape, ...checks.map(({ problems }) => problems)].flat().map(locate);
  const problems = [...syntax, ...located.filter(isFirstOfItsPath)].sort(byPosition);
  const warnings = checks
    .flatMap(({ warnings }) => warnings)
    .map(locate)
    .sort(byPosition);
  if (config === undefined || problems.length > 0) return { problems, warnings, files, loaded: null };
  const loaded = {
    config,
    serverCertificates: certificates.certificates,
    resumptionSecret: resumption.secret,
    routes: routes.routes,
    auditKey: auditKey.key,
    tracing: tracing.settings,
    keySources: keySets.sources,
    introspections: introspections.settings,
    files,
    warnings,
    locate,
  };
  return { problems, warnings, files, loaded };
}

async function readFiles(parts: ConfigParts, now: number) {
  return {
    certificates: await readServerCertificates(parts.certificates, now),
    resumption: await readResumptionSecret(parts.resumption ?? null),
    routes: await readRoutes(parts.routes, now),
    auditKey: await readAuditKey(parts.audit ?? null),
    tracing: await readTracing(parts.tracing ?? null, now),
    keySets: await readKeySources(keySourcesIn(parts), now),
    introspections: await readIntrospections(parts.routes, now),
  };
}

/** Each message of the schema is the phrase for what is allowed; the document adds what was found. */
function diagnosticsOf(issue: Issue, root: unknown, base: Path = []): Diagnostic[] {
  const path = [...base, ...issue.path];
  if (issue.code === 'unrecognized_keys') {
    const found = 'an unknown key';
    // The document has its own problem for a merge key (YAML 1.1).
    const keys = issue.keys.filter((key) => key !== '<<');
    return keys.map((key) => ({ path: [...path, key], found, allowed: issue.message, atKey: true }));
  }
  if (issue.code === 'invalid_union') {
    // Of a mapping, a list and a text, the alternative of the same shape as the value is the one that was meant.
    const meant = issue.errors.find((errors) => !errors.some(isOfAnotherShape));
    if (meant !== undefined && valueAt(root, path) instanceof Object) {
      return meant.flatMap((inner) => diagnosticsOf(inner, root, path));
    }
  }
  return [{ path, allowed: issue.message }];
}

/** The value is of another shape than this part of the schema allows. */
function isOfAnotherShape({ code, path }: Issue): boolean {
  return path.length === 0 && (code === 'invalid_type' || code === 'invalid_value');
}

/** A rule and the check of a file may report the same problem of a field: it is kept once. */
function isFirstOfItsPath(problem: ConfigProblem, index: number, all: readonly ConfigProblem[]): boolean {
  return all.findIndex(({ path, found }) => path === problem.path && found === problem.found) === index;
}

function byPosition(a: ConfigProblem, b: ConfigProblem): number {
  return a.line - b.line || a.column - b.column;
}
