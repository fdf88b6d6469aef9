/** Decides by the name of a field whether it is forwarded: hop-by-hop and identity fields never are (RFC 9110 §7.6.1). */

import { isToken } from './grammar.ts';
import { NameSet, plainName, removedNames } from './removed-fields.ts';

/** `pass`: forwarded unchanged. `drop`: removed. The others name the fields whose value the codec reads. */
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

/** Keep-Alive of a host is not forwarded, but its timeout is used for the idle connection. */
function responseRule(name: string): FieldRule {
  return name === 'keep-alive' ? name : framingRule(name);
}

/** Fields that the gateway reads. `identity.remove` cannot remove them. */
const readFields: ReadonlySet<string> = new Set<FieldRule>([
  'host',
  'expect',
  'traceparent',
  'tracestate',
  'connection',
  'content-length',
  'transfer-encoding',
]);

/** `name`: in lower case. `removed`: the names of removed-fields.ts and of `identity.remove`. */
function requestRule(name: string, removed: NameSet): FieldRule {
  if (readFields.has(name)) return name as FieldRule;
  // EHI requires Content-Type: a `*` in `identity.remove` cannot remove it either.
  if (name === 'content-type') return 'pass';
  // CGI-like hosts treat `_` as `-`: a name with `_` could replace a field that was removed.
  if (name.includes('_') || hopByHop.has(name)) return 'drop';
  // Some hosts treat every other separator as `-` too: `X.Forwarded.For` becomes HTTP_X_FORWARDED_FOR.
  const plain = plainName(name);
  if (removed.has(plain)) return 'drop';
  return plain !== name && (readFields.has(plain) || hopByHop.has(plain)) ? 'drop' : 'pass';
}

/** Cache of rules by the spelling of a name: senders use the same few spellings in every message. */
class FieldRules {
  readonly #rules = new Map<string, FieldRule>();
  readonly #decide: (lowerCaseName: string) => FieldRule;

  constructor(decide: (lowerCaseName: string) => FieldRule) {
    this.#decide = decide;
  }

  /** A bound function, so that it can be passed on to `readFields`. */
  readonly rule = (name: string): FieldRule => {
    let rule = this.#rules.get(name);
    if (rule === undefined) {
      rule = this.#decide(name.toLowerCase());
      // Cleared when full, so that names made up by one client do not occupy the cache for good.
      if (name.length > 64) return rule;
      if (this.#rules.size >= 1024) this.#rules.clear();
      this.#rules.set(name, rule);
    }
    return rule;
  };
}

/** The rules for requests: the names of removed-fields.ts and of `identity.remove` are dropped. */
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

/** Fields that a Connection option must not remove: the message would have another meaning without them. */
const essential = new Set(['host', 'content-length', 'content-type', 'transfer-encoding', 'expect']);

export interface ConnectionOptions {
  readonly close: boolean;
  readonly keepAlive: boolean;
  /** Lower-case names of the fields that must not be forwarded; null: none. */
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

/** `timeout=5, max=100` → 5; -1 without a timeout. The last value is cached, because a host repeats it in every response. */
export function readKeepAlive(value: string): number {
  if (value !== knownKeepAlive) {
    const seconds = /(?:^|,)[ \t]*timeout[ \t]*=[ \t]*"?([0-9]{1,9})/i.exec(value)?.[1];
    knownKeepAlive = value;
    knownSeconds = seconds === undefined ? -1 : Number(seconds);
  }
  return knownSeconds;
}
