/** The YAML text of a configuration: its value, its syntax problems, and where every path of it stands. */
import {
  type Document,
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  type Node,
  parseDocument,
  type YAMLMap,
} from 'yaml';
import type { ConfigProblem } from '../errors.ts';
import { describeValue } from './describe-value.ts';
import { describeSyntax } from './syntax.ts';

export type Path = readonly PropertyKey[];

/** What is wrong at a path; `found` absent: the value that stands there. */
export interface Finding {
  readonly path: Path;
  readonly allowed: string;
  readonly found?: string;
  /** Points at the key instead of its value. */
  readonly atKey?: boolean;
}

export interface ConfigDocument {
  /** Plain JSON values; undefined where the text cannot be read and nothing can be said of its values. */
  readonly value: unknown;
  readonly problems: readonly ConfigProblem[];
  /** Gives a finding its place in the file and the words for what was found there. */
  place(finding: Finding): ConfigProblem;
}

/** Aliases that a document may use: each makes it larger than it looks. */
const mostAliases = 100;

/** A key of YAML 1.1 that never became part of YAML 1.2. */
const mergeKey = {
  found: 'a merge key (<<), which YAML 1.2 does not have',
  allowed: 'the keys written out, or an alias in the place of a whole value: head: *name',
  atKey: true,
};

/** Never throws. YAML 1.2, core schema, one document; tags and merge keys are refused. */
export function parseConfigDocument(text: string, file: string): ConfigDocument {
  const at = (offset: number) => ({ file, ...positionIn(text, offset) });
  const placeIn = (document: Document | undefined, finding: Finding): ConfigProblem => {
    const { path, allowed, found, atKey = false } = finding;
    const { value, nearest } = locate(document, path);
    const target = atKey || value?.range == null || value.range[0] === value.range[1] ? nearest : value;
    return {
      ...at(target?.range?.[0] ?? 0),
      path: formatPath(path),
      found: found ?? describeValue(value, path),
      allowed,
    };
  };
  try {
    const document = parse(text);
    const place = (finding: Finding) => placeIn(document, finding);
    const errors = describeSyntax(document).map(({ offset, ...words }) => ({
      ...at(offset),
      path: '',
      ...words,
    }));
    // One slip makes the parser stumble many times.
    const syntax = errors.filter(
      ({ line }, index) => errors.findIndex((error) => error.line === line) === index,
    );
    const { value, findings } = evaluate(document);
    const problems = [...syntax, ...findings.map(place)];
    return { value: document.errors.length > 0 ? undefined : value, problems, place };
  } catch {
    const allowed = `plain YAML, nested less deep, with at most ${mostAliases} aliases`;
    const problem = { ...at(0), path: '', found: 'YAML that cannot be read', allowed };
    return { value: undefined, problems: [problem], place: (finding) => placeIn(undefined, finding) };
  }
}

/** Both from 1. Counted here: the library's own counter misses lines once a text is broken. */
function positionIn(text: string, offset: number): { line: number; column: number } {
  const before = text.slice(0, offset);
  return { line: before.split('\n').length, column: before.length - before.lastIndexOf('\n') };
}

function parse(text: string): Document.Parsed {
  return parseDocument(text, {
    // Pretty errors quote the source, which may hold what no log should.
    prettyErrors: false,
    // Found by `evaluate`, which knows the path of a duplicate.
    uniqueKeys: false,
    stringKeys: true,
    schema: 'core',
    resolveKnownTags: false,
    merge: false,
    logLevel: 'error',
  });
}

/** The document as a JSON value, and what the parser leaves open. Throws where it nests or repeats itself endlessly. */
function evaluate(document: Document.Parsed): { value: unknown; findings: Finding[] } {
  const findings: Finding[] = [];
  let aliases = 0;
  const visit = (node: unknown, path: Path): unknown => {
    if (isScalar(node)) return node.value;
    if (isSeq(node)) return node.items.map((item, index) => visit(item, [...path, index]));
    if (isMap(node)) {
      const seen = new Set<string>();
      return Object.fromEntries(
        node.items.map((pair) => {
          const key = keyOf(pair.key);
          if (key === '<<') findings.push({ path: [...path, key], ...mergeKey });
          // YAML 1.2 §3.2.1.3.
          if (seen.has(key)) {
            findings.push({
              path: [...path, key],
              found: 'the key twice',
              allowed: 'each key once',
              atKey: true,
            });
          }
          seen.add(key);
          return [key, visit(pair.value, [...path, key])];
        }),
      );
    }
    if (!isAlias(node)) return null;
    aliases += 1;
    if (aliases > mostAliases) throw new RangeError('too many aliases');
    const target = node.resolve(document);
    if (target === undefined) {
      findings.push({
        path,
        found: 'an alias without its anchor',
        allowed: 'an alias of an anchor before it',
      });
    }
    return visit(target, path);
  };
  return { value: visit(document.contents, []), findings };
}

interface Place {
  readonly value: Node | undefined;
  /** What to point at where there is no value: its key, or the nearest node that encloses it. */
  readonly nearest: Node | undefined;
}

function locate(document: Document | undefined, path: Path): Place {
  const resolve = (node: unknown): Node | undefined => {
    const target = document !== undefined && isAlias(node) ? node.resolve(document) : node;
    return isNode(target) ? target : undefined;
  };
  let value = resolve(document?.contents);
  let nearest = value;
  for (const step of path) {
    const map: YAMLMap | undefined = isMap(value) ? value : undefined;
    const pair = map?.items.findLast(({ key }) => keyOf(key) === String(step));
    value = resolve(isSeq(value) ? value.items[Number(step)] : pair?.value);
    nearest = isNode(pair?.key) ? pair.key : (value ?? nearest);
  }
  return { value, nearest };
}

function keyOf(key: unknown): string {
  return String(isScalar(key) ? key.value : key);
}

/** `clients.allowlist[0]`. */
function formatPath(path: Path): string {
  return path
    .map((step, index) => {
      if (typeof step === 'number') return `[${step}]`;
      const key = /^\w{1,64}$/.test(String(step)) ? String(step) : JSON.stringify(String(step).slice(0, 64));
      return index === 0 ? key : `.${key}`;
    })
    .join('');
}
