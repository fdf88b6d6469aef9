import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  RequestFields,
  readConnectionOptions,
  readKeepAlive,
  requestFields,
  responseFields,
} from '../../src/message/field-forwarding.ts';
import { removedFields } from '../../src/message/removed-fields.ts';

/** Every name, and one or more for each prefix. */
const identityNames = [
  'Forwarded',
  'Client-Cert',
  'Client-Cert-Chain',
  'X-Real-IP',
  'X-Request-Id',
  'True-Client-IP',
  'X-ARR-ClientCert',
  'X-Forwarded-For',
  'X-Forwarded-',
  'X-Forwarded-Client-Cert',
  'X-Client-Cert',
  'X-Client-Certificate',
  'X-SSL-Client-Verify',
  'SSL-Client-Cert',
  'X-Amzn-Mtls-Clientcert-Leaf',
  'X-Amzn-Tls-Version',
  'X-TLS-Client-DN',
  'X-Client-DN',
  'X-Client-IP',
  'X-Client-Verify',
  'X-Cluster-Client-IP',
  'X-Envoy-External-Address',
  'X-Original-Forwarded-For',
  'Client-IP',
  'CF-Connecting-IP',
  'CF-Client-Cert-SHA256',
  'CloudFront-Viewer-Cert-Subject',
  'Fastly-Client-IP',
  // Fields other than certificates and addresses; the table itself is tested below.
  ...['WL-Proxy-Client-Cert', 'WL-Proxy-Client-IP', 'WL-Proxy-SSL', 'Proxy-Client-IP', 'Proxy-Auth-Cert'],
  ...['X-Remote-User', 'Remote-User', 'X-MS-Client-Principal', 'X-MS-Client-Principal-Id', 'l5d-client-id'],
  ...['X-Certificate', 'X-Original-URL', 'X-Rewrite-URL', 'X-HTTP-Method-Override', 'X-HTTP-Method'],
  ...['X-Method-Override', 'Proxy', 'X-Envoy-Max-Retries', 'X-Original-Host', 'Front-End-Https'],
  ...['X-Forwarded', 'SM-User', 'X-Middleware-Subrequest', 'MS-ASPNETCORE-CLIENTCERT', 'X-WebAuth-User'],
];
/** The private headers of WebSphere’s plug-in. */
const webSphere = [
  '$WSAT',
  '$WSCC',
  '$WSCS',
  '$WSIS',
  '$WSPR',
  '$WSRA',
  '$WSRH',
  '$WSRU',
  '$WSSC',
  '$WSSN',
  '$WSSP',
];
const hopByHop = [
  'Keep-Alive',
  'Proxy-Connection',
  'Proxy-Authenticate',
  'Proxy-Authorization',
  'TE',
  'Trailer',
  'Upgrade',
  'HTTP2-Settings',
];

/** Each letter in either case, each hyphen as any character that a host might treat as one. */
function spellings(name: string): fc.Arbitrary<string> {
  const letters = [...name].map((letter) =>
    letter === '-'
      ? fc.constantFrom(..."-_.!#$%&'*+^`|~")
      : fc.constantFrom(letter.toLowerCase(), letter.toUpperCase()),
  );
  return fc.tuple(...letters).map((parts) => parts.join(''));
}

describe('a field of a request', () => {
  it.each(identityNames)('%s is dropped in every spelling', (name) => {
    fc.assert(
      fc.property(spellings(name), (spelling) => requestFields.rule(spelling) === 'drop'),
      { numRuns: 50 },
    );
  });

  it.each(webSphere)('%s is dropped in any case', (name) => {
    const spelled = [name, name.toLowerCase(), name.replace('$', '%')];
    expect(spelled.map(requestFields.rule)).toEqual(['drop', 'drop', 'drop']);
  });

  it.each(removedFields)(
    'of the list is dropped, with any rest if the list has a `*`: $group',
    ({ fields }) => {
      for (const field of fields) {
        const names = field.endsWith('*') ? [field.slice(0, -1), `${field.slice(0, -1)}x`] : [field];
        const spelled = names.flatMap((name) => [name, name.toUpperCase(), name.replaceAll('-', '_')]);
        expect(spelled.map(requestFields.rule)).toEqual(spelled.map(() => 'drop'));
      }
    },
  );

  it('passes with another separator in its name, unless it resembles one that is removed or read', () => {
    const passing = ['X.Custom', 'SOAP.Action', '!', "it's"];
    expect(passing.map(requestFields.rule)).toEqual(passing.map(() => 'pass'));
    const dropped = ['Content.Length', 'Transfer~Encoding', 'Keep.Alive', 'X.Forwarded.For', 'x!ssl-client'];
    expect(dropped.map(requestFields.rule)).toEqual(['drop', 'drop', 'drop', 'drop', 'drop']);
  });

  it.each(hopByHop)('%s is dropped: it is hop-by-hop', (name) => {
    expect([name, name.toLowerCase(), name.toUpperCase()].map(requestFields.rule)).toEqual([
      'drop',
      'drop',
      'drop',
    ]);
  });

  it('is dropped with any `_` in its name, so that it cannot replace another', () => {
    const names = ['X_Custom', 'Content_Length', 'transfer_encoding', 'HOST_', '_', 'Con_nection', 'Ex_pect'];
    expect(names.map(requestFields.rule)).toEqual(names.map(() => 'drop'));
  });

  it('passes when its name only resembles an identity field', () => {
    const names = [
      'Forwarded-To',
      'X-Real-IP-2',
      'Client-Certs',
      'X-Forward',
      'SSL',
      'XX-SSL-a',
      'X-SSL',
      'Proxies',
      'X-Remote',
      'WSCC',
      'Smile',
      'X-Client-Version',
      'X-Correlation-Id',
      'Authorization',
      'SOAPAction',
      'X-Thredd-Signature',
    ];
    expect(names.map(requestFields.rule)).toEqual(names.map(() => 'pass'));
  });

  it('is read if the codec needs it, in upper or lower case', () => {
    const names = ['HOST', 'Connection', 'content-length', 'Transfer-Encoding', 'EXPECT', 'TraceParent'];
    expect(names.map(requestFields.rule)).toEqual(names.map((name) => name.toLowerCase()));
  });
});

describe('a field that `identity.remove` names', () => {
  const { rule } = new RequestFields(['X-User', 'x_tenant-*', '$Own', 'c*', 'h*', 'T*']);

  it('is dropped in every spelling; a trailing `*` matches any rest', () => {
    fc.assert(
      fc.property(spellings('X-User'), (spelling) => rule(spelling) === 'drop'),
      { numRuns: 50 },
    );
    const names = ['X-Tenant-', 'x-tenant-id', 'X.Tenant.Id', '$OWN', 'Cookie', 'X-Forwarded-For'];
    expect(names.map(rule)).toEqual(names.map(() => 'drop'));
    const passing = ['X-Users', 'X-Tenant', 'X-Own', 'Accept'];
    expect(passing.map(rule)).toEqual(passing.map(() => 'pass'));
    expect(passing.concat('Cookie').map(requestFields.rule)).toEqual(passing.concat('').map(() => 'pass'));
  });

  it('is still read if the codec needs it, also when a prefix matches it', () => {
    const names = ['content-length', 'connection', 'host', 'transfer-encoding', 'traceparent', 'tracestate'];
    expect(names.map(rule)).toEqual(names);
    expect(rule('Content-Type')).toBe('pass');
  });
});

describe('a field of a response', () => {
  it('passes, also with `_` or the name of an identity field', () => {
    const names = ['Set-Cookie', 'X_Custom', 'X-Request-Id', 'Host', 'Expect'];
    expect(names.map(responseFields.rule)).toEqual(names.map(() => 'pass'));
  });

  it.each(hopByHop.slice(1))('%s is dropped: it is hop-by-hop', (name) => {
    expect(responseFields.rule(name)).toBe('drop');
  });
});

it('applies the same rules to more names than the cache holds, and to long names', () => {
  for (let round = 0; round < 2; round++) {
    for (let index = 0; index < 3000; index++) {
      expect(requestFields.rule(`X-Custom-${index}`)).toBe('pass');
      expect(requestFields.rule(`X-Forwarded-${index}`)).toBe('drop');
    }
    expect(requestFields.rule(`X-SSL-${'a'.repeat(100)}`)).toBe('drop');
  }
});

describe('Connection', () => {
  it.each([
    ['', { close: false, keepAlive: false, names: null, invalid: false }],
    [' , ,', { close: false, keepAlive: false, names: null, invalid: false }],
    ['close', { close: true, keepAlive: false, names: null, invalid: false }],
    ['Keep-Alive, CLOSE', { close: true, keepAlive: true, names: null, invalid: false }],
    ['closed', { close: false, keepAlive: false, names: new Set(['closed']), invalid: false }],
    ['\tX-A ,x-b', { close: false, keepAlive: false, names: new Set(['x-a', 'x-b']), invalid: false }],
    ['x-a x-b', { close: false, keepAlive: false, names: new Set(['x-a x-b']), invalid: true }],
    ['"close"', { close: false, keepAlive: false, names: new Set(['"close"']), invalid: true }],
    ['Host, close', { close: true, keepAlive: false, names: new Set(['host']), invalid: true }],
  ])('%j is read', (value, options) => {
    expect(readConnectionOptions(value)).toEqual(options);
  });
});

describe('Keep-Alive of a response', () => {
  it('is read, and not forwarded', () => {
    expect(['Keep-Alive', 'keep-alive', 'KEEP-ALIVE'].map(responseFields.rule)).toEqual([
      'keep-alive',
      'keep-alive',
      'keep-alive',
    ]);
  });

  it.each([
    ['timeout=5', 5],
    ['timeout=5, max=100', 5],
    ['max=100,Timeout = "60"', 60],
    ['timeout=0', 0],
    ['max=100', -1],
    ['xtimeout=5', -1],
    ['timeout=', -1],
    ['timeout=-1', -1],
    ['', -1],
  ])('%s is read as %i seconds', (value, seconds) => {
    expect([readKeepAlive(value), readKeepAlive(value)]).toEqual([seconds, seconds]);
  });
});
