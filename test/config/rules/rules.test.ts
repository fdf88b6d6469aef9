import { describe, expect, test } from 'vitest';
import { callerSentence, checkRules } from '../../../src/config/rules/rules.ts';

const { problems: withoutCaller } = checkRules({ clients: {} });

test('the problem of a configuration that identifies no caller has the agreed sentence', () => {
  expect(callerSentence).toBe(
    'The chain alone proves only that the CA issued the certificate, and that CA serves every customer',
  );
  expect(withoutCaller.map(({ path, allowed }) => [path, allowed.endsWith(callerSentence)])).toEqual([
    [['clients'], true],
  ]);
});

describe('identifies a caller:', () => {
  test.each<[string, object | undefined]>([
    ['no clients', undefined],
    ['empty clients', {}],
    ['anyCertificateOfAnchor: false', { anyCertificateOfAnchor: false }],
    ['anyCertificateOfAnchor as a text', { anyCertificateOfAnchor: 'true' }],
    ['a match on the issuer alone', { match: { issuer: 'CN=CA' } }],
    ['a list with a match on the issuer alone', { match: [{ commonName: 'a' }, { issuer: 'CN=CA' }] }],
    ['a range of length /0', { allowlist: ['0.0.0.0/0'] }],
    ['a range of length /0 beside others', { allowlist: ['203.0.113.7', '::/0'] }],
    ['every IPv4 address as mapped ones', { allowlist: ['::ffff:0:0/96'] }],
    ['a shadow', { shadow: { pins: ['sha256/…'], allowlist: ['203.0.113.7'], match: { commonName: 'a' } } }],
    ['the issuer alone and a range of length /0', { match: { issuer: 'CN=CA' }, allowlist: ['0.0.0.0/0'] }],
  ])('not %s', (_, clients) => {
    expect(checkRules({ clients }).problems).toEqual(withoutCaller);
  });

  test.each<[string, object]>([
    ['a pin', { pins: ['sha256/…'] }],
    ['an allowlist', { allowlist: ['203.0.113.7'] }],
    ['a match with more than the issuer', { match: { issuer: 'CN=CA', commonName: 'a' } }],
    ['a pin beside a range of length /0', { pins: ['sha256/…'], allowlist: ['0.0.0.0/0'] }],
    ['anyCertificateOfAnchor: true', { anyCertificateOfAnchor: true }],
  ])('%s', (_, clients) => {
    expect(checkRules({ clients }).problems).toEqual([]);
  });
});

describe('warnings about callers', () => {
  const warningsOf = (clients: object) =>
    checkRules({ clients }).warnings.map(({ found }) =>
      found?.replace(/, and one address may hold .*/, ' …'),
    );

  test.each<[string, object, string[]]>([
    ['an allowlist alone', { allowlist: ['203.0.113.7'] }, ['an allowlist alone']],
    [
      'an allowlist and the issuer',
      { allowlist: ['203.0.113.7'], match: { issuer: 'CN=CA' } },
      ['an allowlist alone'],
    ],
    [
      'an allowlist with anyCertificateOfAnchor: true',
      { allowlist: ['203.0.113.7'], anyCertificateOfAnchor: true },
      [],
    ],
    ['an allowlist and a pin', { allowlist: ['203.0.113.7'], pins: ['sha256/…'] }, []],
    ['a pin alone', { pins: ['sha256/…'] }, ['no allowlist: any address may connect …']],
    [
      'a pin and a range of length /0',
      { pins: ['sha256/…'], allowlist: ['::/0'] },
      ['a range of length /0: every address of its family may connect …'],
    ],
  ])('%s', (_, clients, warnings) => {
    expect(warningsOf(clients)).toEqual(warnings);
  });
});

test('refuses a path that another route has; case matters', () => {
  const routes = ['/a', '/b', '/A', '/a', '/a'].map((path) => ({ path }));
  const { problems } = checkRules({ clients: { pins: ['sha256/…'] }, routes });
  expect(problems.map(({ path }) => path)).toEqual([
    ['routes', 3, 'path'],
    ['routes', 4, 'path'],
  ]);
});

describe('warnings about the times of routes', () => {
  const pair = ['http://a', 'http://b'];
  const warningsOf = (route: object, timeouts?: object) =>
    checkRules({ clients: { pins: ['sha256/…'] }, routes: [route], timeouts })
      .warnings.filter(({ path }) => path[0] !== 'clients')
      .map(({ path, found }) => `${path.join('.')}: ${found}`);

  const budget =
    'routes.0.budget: 200ms beside a deadline of 200ms: a message reaches the deadline before it counts as late';
  const next = 'an endpoint that does not accept the connection leaves no time for the next one';
  const last = 'the last endpoint has less time than the endpoints before it';

  test.each<[string, object, object | undefined, string[]]>([
    ['a budget below the deadline', { deadline: '201ms' }, undefined, []],
    ['a deadline equal to the default budget', { deadline: '200ms' }, undefined, [budget]],
    [
      'a budget beyond the default deadline',
      { budget: '1m' },
      undefined,
      [
        'routes.0.budget: 60000ms beside a deadline of 2000ms: a message reaches the deadline before it counts as late',
      ],
    ],
    ['a deadline that is not valid', { deadline: 'soon', budget: '1m' }, undefined, []],
    [
      'a connectFirst equal to the deadline',
      { upstream: pair },
      { connectFirst: '2s', connect: '2s' },
      [`routes.0.deadline: 2000ms beside a timeouts.connectFirst of 2000ms: ${next}`],
    ],
    ['the same with one endpoint', { upstream: 'http://a' }, { connectFirst: '2s' }, []],
    ['the same with one endpoint in a list', { upstream: ['http://a'] }, { connectFirst: '2s' }, []],
    [
      'a connectFirst above connect',
      { upstream: pair },
      { connectFirst: '1001ms' },
      [`timeouts.connectFirst: 1001ms beside a timeouts.connect of 1000ms: ${last}`],
    ],
    [
      'the same by default',
      { upstream: pair },
      { connect: '49ms' },
      [`timeouts.connectFirst: 50ms beside a timeouts.connect of 49ms: ${last}`],
    ],
    ['the same time for each endpoint', { upstream: pair }, { connectFirst: '1s' }, []],
  ])('%s', (_, route, timeouts, warnings) => {
    expect(warningsOf(route, timeouts)).toEqual(warnings);
  });
});

describe('the ports of listen and admin', () => {
  const clients = { match: { commonName: 'a' } };
  const problemsOf = (listen: object, admin: object) =>
    checkRules({ clients, listen, admin }).problems.map(({ path }) => path.join('.'));

  test.each<[string, object, object, string[]]>([
    ['the same port on all addresses', { port: 9443 }, { port: 9443 }, ['admin.port']],
    ['the default of the other', { port: 9090 }, {}, ['listen.port']],
    [
      'one address in two notations',
      { address: '::1', port: 1 },
      { address: '0:0::1', port: 1 },
      ['admin.port'],
    ],
    [
      'the unspecified IPv6 address, which includes IPv4',
      { address: '::', port: 1 },
      { port: 1 },
      ['admin.port'],
    ],
    ['two addresses', { address: '192.0.2.1', port: 1 }, { port: 1 }, []],
    ['two families', { address: '0.0.0.0', port: 1 }, { address: '::1', port: 1 }, []],
    ['0, which is any free port', { port: 0 }, { port: 0 }, []],
    ['a port that is not valid', { port: '1' }, { port: 1 }, []],
  ])('may not be equal on one address: %s', (_, listen, admin, expected) => {
    expect(problemsOf(listen, admin)).toEqual(expected);
  });
});

test('the copy of the last seal may not be the audit file', () => {
  const problemsOf = (audit: object) => checkRules({ clients: { pins: ['sha256/…'] }, audit }).problems;
  const found = 'audit.log, which is audit.destination';
  expect(problemsOf({ destination: 'audit.log', seal: { copy: 'audit.log' } })).toMatchObject([
    { path: ['audit', 'seal', 'copy'], found },
  ]);
  expect(problemsOf({ destination: 'audit.log', seal: { copy: 'other/audit.log' } })).toEqual([]);
  expect(problemsOf({ destination: 'audit.log', seal: {} })).toEqual([]);
});

describe('the rotation of the audit', () => {
  const rotate = { size: '100MiB' };

  test.each<[string, object, string]>([
    ['stdout', { destination: 'stdout', rotate }, 'the rotation of stdout'],
    ['stderr', { destination: 'stderr', rotate }, 'the rotation of stderr'],
    ['the default destination', { rotate }, 'the rotation of stdout'],
  ])('is refused for %s', (_, audit, found) => {
    const { problems } = checkRules({ clients: { pins: ['sha256/…'] }, audit });
    expect(problems).toMatchObject([{ path: ['audit', 'rotate'], found }]);
  });

  test.each([{ destination: 'audit.log', rotate }, { destination: 'stdout' }, {}])(
    'is accepted: %j',
    (audit) => {
      expect(checkRules({ clients: { pins: ['sha256/…'] }, audit }).problems).toEqual([]);
    },
  );
});
