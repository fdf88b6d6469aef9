/** What happens to a field, decided by its name: hop-by-hop and identity fields never pass (RFC 9110 §7.6.1). */

import { isToken } from './grammar.ts';
import { NameSet, plainName, removedNames } from './removed-fields.ts';

/** The fields that the codec reads; `pass` goes on as it is, `drop` does not. */
export type FieldRule =
  | 'pass'
  | 'drop'
  | 'host'
  | 'connection'
  | 'content-length'
  | 'transfer-encoding'
  | 'keep-alive'
  | 'expect'
  | 'traceparent'
  | 'tracestate';

const hopByHop = new Set([
  'keep-alive',
  'proxy-connection',
  'proxy-authenticate',
  'proxy-authorization',
  'te',
  'trailer',
  'upgrade',
  'http2-settings',
]);

function framingRule(name: string): FieldRule {
  if (name === 'content-length' || name === 'transfer-encoding' || name === 'connection') return name;
  return hopByHop.has(name) ? 'drop' : 'pass';
}

/** What a host says of its connection ends here, but is heard. */
function responseRule(name: string): FieldRule {
  return name === 'keep-alive' ? name : framingRule(name);
}

/** Fields that the gateway reads, whatever the configuration says: no list of names can take them from it. */
const readFields: ReadonlySet<string> = new Set<FieldRule>([
  'host',
  'expect',
  'traceparent',
  'tracestate',
  'connection',
  'content-length',
  'transfer-encoding',
]);

/** `name` in lower case; `removed`: what hosts believe. */
function requestRule(name: string, removed: NameSet): FieldRule {
  if (readFields.has(name)) return name as FieldRule;
  // EHI requires it: no `*` of the configuration takes it away either.
  if (name === 'content-type') return 'pass';
  // CGI-like hosts read `_` as `-`: a name with `_` could stand in for a field that was removed.
  if (name.includes('_') || hopByHop.has(name)) return 'drop';
  // Some read whatever is no letter or digit so: `X.Forwarded.For` ends up as HTTP_X_FORWARDED_FOR.
  const plain = plainName(name);
  if (removed.has(plain)) return 'drop';
  return plain !== name && (readFields.has(plain) || hopByHop.has(plain)) ? 'drop' : 'pass';
}

/** Rules by the name as it was written: senders repeat the same few spellings on every message. */
class FieldRules {
  readonly #rules = new Map<string, FieldRule>();
  readonly #decide: (lowerCaseName: string) => FieldRule;

  constructor(decide: (lowerCaseName: string) => FieldRule) {
    this.#decide = decide;
  }

  /** Bound, so that it can be handed to the reader of a section. */
  readonly rule = (name: string): FieldRule => {
    let rule = this.#rules.get(name);
    if (rule === undefined) {
      rule = this.#decide(name.toLowerCase());
      // Bounded, and begun anew when it is full: names that one client invents must not keep out the others' for good.
      if (name.length > 64) return rule;
      if (this.#rules.size >= 1024) this.#rules.clear();
      this.#rules.set(name, rule);
    }
    return rule;
  };
}

/** The rules for requests: what hosts believe does not pass, nor what the configuration adds to that. */
export class RequestFields extends FieldRules {
  /** `identity.remove`. */
  readonly added: readonly string[];

  constructor(added: readonly string[] = []) {
    const removed = new NameSet([...removedNames, ...added]);
    super((name) => requestRule(name, removed));
    this.added = added;
  }
}

/** Without `identity.remove`. */
export const requestFields = new RequestFields();
export const responseFields = new FieldRules(responseRule);

/** Fields that a Connection option must not take from the host: without them the message means something else. */
const essential = new Set(['host', 'content-length', 'content-type', 'transfer-encoding', 'expect']);

export interface ConnectionOptions {
  readonly close: boolean;
  readonly keepAlive: boolean;
  /** Lower-case names of the fields that go no further; null: none. */
  readonly names: ReadonlySet<string> | null;
  /** An essential field was named, or an option is not a token. */
  readonly invalid: boolean;
}

/** Reads the values of all Connection fields together, comma-separated (RFC 9110 §7.6.1). */
export function readConnectionOptions(value: string): ConnectionOptions {
  let close = false;
  let keepAlive = false;
  let invalid = false;
  let names: Set<string> | null = null;
  for (const part of value.toLowerCase().split(',')) {
    const option = part.replace(/^[ \t]+|[ \t]+$/g, '');
    if (option === 'close') close = true;
    else if (option === 'keep-alive') keepAlive = true;
    else if (option !== '') {
      if (essential.has(option) || !isToken(option)) invalid = true;
      names ??= new Set();
      names.add(option);
    }
  }
  return { close, keepAlive, names, invalid };
}

let knownKeepAlive = '';
let knownSeconds = -1;

/** `timeout=5, max=100` → 5; -1 where it says no timeout. A host says the same every time: the last answer is kept. */
export function readKeepAlive(value: string): number {
  if (value !== knownKeepAlive) {
    const seconds = /(?:^|,)[ \t]*timeout[ \t]*=[ \t]*"?([0-9]{1,9})/i.exec(value)?.[1];
    knownKeepAlive = value;
    knownSeconds = seconds === undefined ? -1 : Number(seconds);
  }
  return knownSeconds;
}
