/** What happens to a field, decided by its name: hop-by-hop and identity fields never pass (RFC 9110 §7.6.1). */

import { isToken } from './grammar.ts';

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

/** Fields by which a host would learn who called: only the gateway may set them, whichever of them it is told to set. */
const identityNames = new Set([
  'forwarded',
  'client-cert',
  'client-cert-chain',
  'client-ip',
  'true-client-ip',
  'cf-connecting-ip',
  'fastly-client-ip',
  'x-arr-clientcert',
  'x-client-dn',
  'x-client-ip',
  'x-client-verify',
  'x-cluster-client-ip',
  'x-envoy-external-address',
  'x-original-forwarded-for',
  'x-real-ip',
  'x-request-id',
]);
const identityPrefixes = [
  'x-forwarded-',
  'x-client-cert',
  'x-ssl-',
  'ssl-client-',
  'x-tls-client-',
  'x-amzn-mtls-',
  'x-amzn-tls-',
  'cf-client-cert-',
  'cloudfront-viewer-',
];

function isIdentity(name: string): boolean {
  return identityNames.has(name) || identityPrefixes.some((prefix) => name.startsWith(prefix));
}

function judgeFraming(name: string): FieldRule {
  if (name === 'content-length' || name === 'transfer-encoding' || name === 'connection') return name;
  return hopByHop.has(name) ? 'drop' : 'pass';
}

/** What a host says of its connection ends here, but is heard. */
function judgeResponseField(name: string): FieldRule {
  return name === 'keep-alive' ? name : judgeFraming(name);
}

function judgeRequestField(name: string): FieldRule {
  if (name === 'host' || name === 'expect' || name === 'traceparent' || name === 'tracestate') return name;
  // CGI-like hosts read `_` as `-`: a name with `_` could stand in for a field that was removed.
  if (name.includes('_') || isIdentity(name)) return 'drop';
  // Some read whatever is no letter or digit so: `X.Forwarded.For` ends up as HTTP_X_FORWARDED_FOR.
  const plain = name.replace(/[^a-z0-9]/g, '-');
  if (plain !== name && judgeRequestField(plain) !== 'pass') return 'drop';
  return judgeFraming(name);
}

/** Rules by the name as it was written: senders repeat the same few spellings on every message. */
class RuleBook {
  readonly #rules = new Map<string, FieldRule>();
  readonly #judge: (lowerCaseName: string) => FieldRule;

  constructor(judge: (lowerCaseName: string) => FieldRule) {
    this.#judge = judge;
  }

  /** Bound, so that it can be handed to the reader of a section. */
  readonly rule = (name: string): FieldRule => {
    let rule = this.#rules.get(name);
    if (rule === undefined) {
      rule = this.#judge(name.toLowerCase());
      // Bounded: a client that invents names costs itself the cache, not the gateway its memory.
      if (this.#rules.size < 1024 && name.length <= 64) this.#rules.set(name, rule);
    }
    return rule;
  };
}

export const requestFields = new RuleBook(judgeRequestField);
export const responseFields = new RuleBook(judgeResponseField);

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
