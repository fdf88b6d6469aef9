/** Every message that the codec accepts has the same meaning for Node's parser, and is forwarded as exactly one message. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { answerWire, requestWire } from '../support/http/arbitraries.ts';
import { authority, type CodecMessage, identity, readAnswer, readRequests } from '../support/http/codec.ts';
import { piecesOf } from '../support/http/mutations.ts';
import { type NodeMessage, NodeParser } from '../support/http/parser.ts';

/** Cases for each property; raise it for a long run by hand. */
const runs = Number(process.env.DIFFERENTIAL_RUNS ?? 20_000);
const timeout = Math.max(120_000, runs * 10);

/** The rules for fields, written a second time: a field that goes on is one that none of them takes. */
const hopByHop =
  /^(connection|keep-alive|proxy-(connection|authenticate|authorization)|te|trailer|transfer-encoding|upgrade|http2-settings|content-length)$/;
const identityLike = new RegExp(
  `^(${[
    'forwarded(-for)?|x-forwarded(-.*)?|client-cert(-chain)?|x-re(al-ip|quest-id)|x-proxied-https',
    '((true-|x-|x-cluster-)?client|x-proxyuser|x-originating|incap-client)-ip',
    '(fastly|fly|x-azure|x-vercel|x-nf|cf|cloudfront-viewer)-.*|x-client-(dn|cn|verify)',
    '(x-ssl|ssl|x-tls|x-mtls|x-amzn-m?tls|x-amzn-oidc|l5d|x-envoy|wl-proxy|proxy|remote|x-remote|sm|iv)-.*',
    'x-client-(cert|subject|issuer|serial|fingerprint).*|(x-certificate|x-peer-cert|sslclient|-ws).*|proxy',
    'clientprotocol|x-sap-webdisp-.*|x-userinfo|x-proxy-user|smuser|tailscale-user-.*|(oidc|shib|oam|osso)-.*',
    'x-(webauth|auth-request|authenticated|authentik|pomerium|consumer|credential)-.*|x-anonymous-consumer',
    'dapr-caller-.*|x-arr-.*|x-ms-client-principal.*|x-ms-token-.*|x-(appservice|waws)-.*|disguised-host',
    'ms-aspnetcore-.*|front-end-https|x-amzn-request-context|x-goog-(authenticated-user|iap)-.*|x-appengine-.*',
    'x-original-.*|x-rewrite-url|x-host|x-http-host-override|x-(url-)?scheme|x-http-method(-override)?',
    'x-method-override|x-script-name|x-middleware-.*|x-sendfile-type|x-accel-.*',
  ].join('|')})$`,
);
const heard = /^(host|expect|traceparent|tracestate)$/;

/** Refused cases prove little: at least three in ten must be accepted completely. */
function expectEnough(what: string, generated: number, accepted: number): void {
  if (process.env.DIFFERENTIAL_RUNS !== undefined) console.log(`${what}: ${generated}, accepted ${accepted}`);
  expect(accepted / generated).toBeGreaterThan(0.3);
}

type Pairs = [name: string, value: string][];

function pairs(fields: readonly string[]): Pairs {
  const found: Pairs = [];
  for (let at = 0; at < fields.length; at += 2) found.push([fields[at] ?? '', fields[at + 1] ?? '']);
  return found;
}

/** Of lines, each with its CRLF. */
function pairsOf(lines: string): Pairs {
  return [...lines.matchAll(/([^:]+): (.*)\r\n/g)].map(([, name = '', value = '']) => [name, value]);
}

function valuesOf(fields: Pairs, name: string): string[] {
  return fields.filter(([written]) => written.toLowerCase() === name).map(([, value]) => value);
}

/** Of the fields that Node read, those that the other side may see. */
function passing(fields: Pairs, mayPass: (name: string) => boolean): Pairs {
  const named = valuesOf(fields, 'connection').flatMap((value) => value.toLowerCase().split(/[ \t]*,[ \t]*/));
  return fields.filter(([written]) => {
    const name = written.toLowerCase();
    return !hopByHop.test(name) && !named.includes(name) && mayPass(name);
  });
}

function mayPassRequest(name: string): boolean {
  const plain = name.replace(/[^a-z0-9]/g, '-');
  const resembles = plain !== name && (hopByHop.test(plain) || heard.test(plain));
  return !name.includes('_') && !identityLike.test(plain) && !heard.test(name) && !resembles;
}

/** The target that the host gets, implemented independently: RFC 9112 §3.2.2 leaves path and query. */
function originOf(target: string): string {
  const rest = target.replace(/^https:\/\/[^/?]*/i, '');
  return rest.startsWith('/') ? rest : `/${rest}`;
}

function authorityOf(target: string): string[] {
  return target.match(/(?<=^https:\/\/)[^/?]+/i)?.slice(0, 1) ?? [];
}

/** Feeds a message's bytes: it must end with their last byte, not before. */
function readAlong(node: NodeParser, bytes: Buffer, message: CodecMessage<object>): NodeMessage {
  const before = node.completed;
  const { start, end, complete } = message;
  node.feed(bytes.subarray(start, complete ? end - 1 : end));
  expect(node.completed, 'complete before its last byte').toBe(before);
  if (complete) {
    node.feed(bytes.subarray(end - 1, end));
    expect([node.error, node.completed], 'not complete with its last byte').toEqual([null, before + 1]);
  }
  expect(node.error).toBe(null);
  return node.messages.at(-1) as NodeMessage;
}

const fieldsOf = (text: string): Pairs =>
  text.split('\r\n').flatMap((line) => (line === '' ? [] : [line.split(': ') as [string, string]]));

function checkRequests(text: string, pieces: Buffer[]): boolean {
  const bytes = Buffer.from(text, 'latin1');
  const { messages } = readRequests(pieces);
  using host = new NodeParser('request');
  const expected: object[] = [];
  /** Where the message before it ended: Node gets the empty line between them too. */
  let start = 0;
  for (const message of messages) {
    // A body refused in the same bytes as its head: nothing was sent on.
    if (message.end === message.start) break;
    const { head, body, forwarded, complete } = message;
    using node = new NodeParser('request');
    const read = readAlong(node, bytes, { ...message, start });
    start = message.end;
    const fields = pairs(read.fields);
    expect([head.method, head.target, head.minor, body]).toEqual([
      read.method,
      originOf(read.target),
      read.minor,
      read.body,
    ]);
    const named = valuesOf(fields, 'host');
    expect(named.length > 0 ? named : authorityOf(read.target)).toEqual(
      head.host === null ? [] : [head.host],
    );
    expect(pairsOf(head.fields)).toEqual(passing(fields, mayPassRequest));
    // Node treats Proxy-Connection as Connection, contrary to RFC 9112 §C.2.2.
    if (head.keepAlive && valuesOf(fields, 'proxy-connection').length === 0)
      expect(read.keepAlive).toBe(true);

    host.feed(Buffer.from(forwarded, 'latin1'));
    const framing = {
      none: [],
      chunked: [['Transfer-Encoding', 'chunked']],
      length: [['Content-Length', `${head.length}`]],
    }[head.framing];
    expected.push({
      minor: 1,
      method: read.method,
      target: originOf(read.target),
      fields: [
        ['Host', head.host ?? authority],
        ...passing(fields, mayPassRequest),
        ...fieldsOf(identity),
        ...framing,
      ].flat(),
      status: 0,
      reason: '',
      body,
      keepAlive: true,
      complete,
    });
  }
  expect([host.error, host.messages]).toEqual([null, expected]);
  if (expected.length === 0 || !(messages[0]?.complete ?? false)) return false;
  const last = messages[expected.length - 1];
  if (last?.complete) {
    host.feed(Buffer.from('GET /next HTTP/1.1\r\nHost: a\r\n\r\n'));
    expect([host.error, host.messages.length, host.messages.at(-1)?.target]).toEqual([
      null,
      expected.length + 1,
      '/next',
    ]);
  }
  return true;
}

test('reads requests as Node does, and sends on exactly one request for each', { timeout }, () => {
  let accepted = 0;
  let generated = 0;
  fc.assert(
    fc.property(requestWire, (wire) => {
      generated++;
      if (checkRequests(wire.text, piecesOf(wire))) accepted++;
    }),
    { numRuns: runs },
  );
  expectEnough('requests', generated, accepted);
});

interface Asked {
  readonly toHead: boolean;
  readonly minor: 0 | 1;
  /** The host closes its connection after the bytes. */
  readonly ended: boolean;
}

function checkAnswer(text: string, pieces: Buffer[], asked: Asked): boolean {
  const bytes = Buffer.from(text, 'latin1');
  const { messages } = readAnswer(pieces, asked);
  using client = new NodeParser('response', asked);
  const expected: object[] = [];
  for (const message of messages) {
    if (message.end === message.start) break;
    const { head, body, forwarded, complete } = message;
    const untilClose = head.framing === 'close';
    // One for each: Node reads nothing after an interim answer that says `close`, although the answer follows.
    using node = new NodeParser('response', asked);
    const read = readAlong(node, bytes, { ...message, complete: complete && !untilClose });
    if (untilClose && complete) node.finish();
    const fields = pairs(read.fields);
    expect([head.status, head.reason, body]).toEqual([read.status, read.reason, read.body]);
    expect(pairsOf(head.fields)).toEqual(passing(fields, () => true));
    expect([node.error, read.complete]).toEqual([null, complete]);
    // For HEAD, Node reports the head before it knows that there is no body.
    if (head.reusable && !asked.toHead) expect(read.keepAlive).toBe(true);

    if (forwarded === '') continue;
    client.feed(Buffer.from(forwarded, 'latin1'));
    expected.push({
      minor: 1,
      status: read.status,
      reason: read.reason,
      body,
      passed: passing(fields, () => true),
    });
  }
  const answer = messages.at(-1);
  const complete = answer?.complete === true && answer.head.status >= 200;
  if (complete && asked.minor === 0) client.finish();
  expect(client.error).toBe(null);
  expect(
    client.messages.map(({ minor, status, reason, body, fields }) => {
      return { minor, status, reason, body, passed: passing(pairs(fields), () => true) };
    }),
  ).toEqual(expected);
  if (!complete) return false;
  expect(client.messages.at(-1)?.complete).toBe(true);
  if (asked.minor === 1) {
    client.feed(Buffer.from('HTTP/1.1 299 Next\r\n'));
    client.feed(Buffer.from('Content-Length: 0\r\n\r\n'));
    expect([client.error, client.messages.at(-1)?.status]).toEqual([null, 299]);
  }
  return true;
}

test('reads answers as Node does, and sends on exactly one answer', { timeout }, () => {
  let accepted = 0;
  let generated = 0;
  const asked = fc.record({
    toHead: fc.integer({ min: 0, max: 9 }).map((roll) => roll === 0),
    minor: fc.constantFrom<(0 | 1)[]>(0, 1, 1, 1),
    ended: fc.constantFrom(true, true, true, false),
  });
  fc.assert(
    fc.property(answerWire, asked, (wire, how) => {
      generated++;
      if (checkAnswer(wire.text, piecesOf(wire), how)) accepted++;
    }),
    { numRuns: runs },
  );
  expectEnough('answers', generated, accepted);
});
