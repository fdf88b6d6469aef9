/** The YAML text of a configuration: its value, its syntax problems, and the position of every path. */
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
import type { Diagnostic, Path } from './diagnostic.ts';
import { describeSyntax } from './syntax.ts';

interface ConfigDocument {
  /** Plain JSON values; undefined where a syntax error makes them unreliable. */
  readonly value: unknown;
  readonly problems: readonly ConfigProblem[];
  /** Adds the file, line and column, and a description of the value where `found` is absent. */
  locate(diagnostic: Diagnostic): ConfigProblem;
}

/**
 * Maximum number of resolutions of aliases in a document. An alias inside the value of another alias counts at each use of
 * that one: a short text could otherwise become a huge value.
 */
const maxAliases = 100;

/** A key of YAML 1.1 that YAML 1.2 does not have. */
const mergeKey = {
  found: 'a merge key (<<), which YAML 1.2 does not have',
  allowed: 'the keys written out, or an alias in the place of a whole value: head: *name',
  atKey: true,
};

/** Never throws. YAML 1.2, core schema, one document; tags and merge keys are refused. */
export function parseConfigDocument(text: string, file: string): ConfigDocument {
  const at = (offset: number) => ({ file, ...positionIn(text, offset) });
  const locateIn = (document: Document | undefined, diagnostic: Diagnostic): ConfigProblem => {
    const { path, allowed, found, atKey = false } = diagnostic;
    const { value, nearest } = findTarget(document, path);
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
    const locate = (diagnostic: Diagnostic) => locateIn(document, diagnostic);
    const errors = describeSyntax(document).map(({ offset, found, allowed }) => ({
      ...at(offset),
      path: '',
      found,
      allowed,
    }));
    // The parser reports several errors for one mistake: the first of each line is kept.
    const syntax = errors.filter(
      ({ line }, index) => errors.findIndex((error) => error.line === line) === index,
    );
    const { value, diagnostics } = evaluate(document);
    const problems = [...syntax, ...diagnostics.map(locate)];
    return { value: document.errors.length > 0 ? undefined : value, problems, locate };
  } catch {
    const allowed = `plain YAML, nested less deep, with at most ${maxAliases} uses of aliases; an alias inside the value of another alias counts at each use of that one`;
    const problem = { ...at(0), path: '', found: 'YAML that cannot be read', allowed };
    return {
      value: undefined,
      problems: [problem],
      locate: (diagnostic) => locateIn(undefined, diagnostic),
    };
  }
}

/** Both from 1. The library's own counter misses lines of a text with syntax errors. */
function positionIn(text: string, offset: number): { line: number; column: number } {
  const before = text.slice(0, offset);
  return { line: before.split('\n').length, column: before.length - before.lastIndexOf('\n') };
}

function parse(text: string): Document.Parsed {
  return parseDocument(text, {
    // Pretty errors quote the source, which may hold secrets.
    prettyErrors: false,
    // `evaluate` reports duplicates, because it knows their path.
    uniqueKeys: false,
    stringKeys: true,
    schema: 'core',
    resolveKnownTags: false,
    merge: false,
    logLevel: 'error',
  });
}

/** The document as a JSON value, with the problems that the parser does not report. Throws on endless nesting or aliases. */
function evaluate(document: Document.Parsed): { value: unknown; diagnostics: Diagnostic[] } {
  const diagnostics: Diagnostic[] = [];
  let aliases = 0;
  const visit = (node: unknown, path: Path): unknown => {
    if (isScalar(node)) return node.value;
    if (isSeq(node)) return node.items.map((item, index) => visit(item, [...path, index]));
    if (isMap(node)) {
      const seen = new Set<string>();
      return Object.fromEntries(
        node.items.map((pair) => {
          const key = keyOf(pair.key);
          if (key === '<<') diagnostics.push({ path: [...path, key], ...mergeKey });
          // YAML 1.2 §3.2.1.3.
          if (seen.has(key)) {
            diagnostics.push({
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
    if (aliases > maxAliases) throw new RangeError('too many aliases');
    const target = node.resolve(document);
    if (target === undefined) {
      diagnostics.push({
        path,
        found: 'an alias without its anchor',
        allowed: 'an alias of an anchor before it',
      });
    }
    return visit(target, path);
  };
  return { value: visit(document.contents, []), diagnostics };
}

interface Target {
  readonly value: Node | undefined;
  /** What to point at without a value: its key, or the nearest node that encloses it. */
  readonly nearest: Node | undefined;
}

function findTarget(document: Document | undefined, path: Path): Target {
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
