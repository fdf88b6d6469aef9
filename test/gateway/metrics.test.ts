/** The admin port after some traffic: every documented metric with its value; liveness and readiness. */
import { once } from 'node:events';
import { connect as connectTcp } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { parseCertificate } from '../../src/pki/certificate.ts';
import { metricTable } from '../../src/telemetry/metric-table.ts';
import { post } from '../support/process/client.ts';
import { metricsWhen, readMetrics, type Samples } from '../support/process/metrics.ts';
import { openStage, type Stage } from '../support/process/stage.ts';

let stage: Stage;
let samples: Samples;
beforeAll(async () => {
  stage = await openStage();
  await using client = await stage.connect();
  for (let count = 0; count < 3; count++) await client.exchange(post());
  await stage.send(post({ target: '/%' }));
  await stage.send(post(), { leaf: undefined });
  const broken = connectTcp({ port: stage.gateway.port, host: '127.0.0.1' }).on('error', () => {});
  broken.resume().write('GET / HTTP/1.1\r\n\r\n');
  await once(broken, 'close');
  samples = await metricsWhen(
    stage.gateway,
    (each) => (each.get('ehi_handshake_seconds_count') ?? 0) >= 4 && each.get('ehi_connections') === 1,
  );
});
afterAll(() => stage[Symbol.asyncDispose]());

const names = (start: string) => [...samples.keys()].filter((name) => name.startsWith(start));

it('shows every metric of the table, and Node’s own', async () => {
  const text = await stage.gateway.metrics();
  for (const { name, type } of metricTable) expect(text).toContain(`# TYPE ${name} ${type}\n`);
  expect(names('process_cpu_')).not.toEqual([]);
  expect(names('nodejs_eventloop_lag_')).not.toEqual([]);
});

it('counts handshakes by verdict and reason', () => {
  expect(names('ehi_handshakes_total').map((name) => [name, samples.get(name)])).toEqual([
    ['ehi_handshakes_total{verdict="allow",reason="none"}', 2],
    ['ehi_handshakes_total{verdict="deny",reason="no_certificate"}', 1],
    ['ehi_handshakes_total{verdict="failed",reason="plain_http"}', 1],
  ]);
  expect(samples.get('ehi_handshake_seconds_count')).toBe(4);
  expect(samples.get('ehi_handshake_seconds_sum')).toBeGreaterThan(0);
});

it('counts messages by route and status', () => {
  expect(new Map(names('ehi_messages_total').map((name) => [name, samples.get(name)]))).toEqual(
    new Map([
      ['ehi_messages_total{route="/",code="200"}', 3],
      ['ehi_messages_total{route="none",code="400"}', 2],
    ]),
  );
});

it('times messages: total, upstream and overhead, in buckets from 0.1 ms to 10 s that include 0.2 s', () => {
  for (const name of ['ehi_message_seconds', 'ehi_upstream_seconds', 'ehi_overhead_seconds']) {
    expect(samples.get(`${name}_count{route="/"}`)).toBe(3);
    const bounds = names(`${name}_bucket`)
      .filter((each) => each.includes('route="/"'))
      .map((each) => /le="([^"]+)"/.exec(each)?.[1]);
    expect(bounds[0]).toBe('0.0001');
    expect(bounds).toContain('0.2');
    expect(bounds.slice(-2)).toEqual(['10', '+Inf']);
  }
  const sum = (name: string) => samples.get(`${name}_sum{route="/"}`) as number;
  expect(sum('ehi_message_seconds')).toBeCloseTo(
    sum('ehi_upstream_seconds') + sum('ehi_overhead_seconds'),
    6,
  );
  expect(sum('ehi_upstream_seconds')).toBeGreaterThan(0);
});

it('shows the connections and messages that are open now', async () => {
  expect(samples.get('ehi_connections')).toBe(1);
  expect(samples.get('ehi_in_flight')).toBe(0);
});

it('shows when the certificates of the server, the anchors and the clients expire', () => {
  const { root, issuing } = stage.authority;
  const shown = (role: string, { der }: { readonly der: Uint8Array }) => {
    const { subject, serial } = parseCertificate(der);
    return samples.get(
      `ehi_certificate_not_after_timestamp_seconds{role="${role}",name="${subject}",serial="${serial}"}`,
    );
  };
  const ends = ({ der }: { readonly der: Uint8Array }) => parseCertificate(der).notAfter / 1000;
  expect(shown('anchor', root)).toBe(ends(root));
  expect(shown('anchor', issuing)).toBe(ends(issuing));
  expect(shown('server', issuing)).toBe(ends(issuing));
  const [server = ''] = names(
    'ehi_certificate_not_after_timestamp_seconds{role="server",name="CN=localhost"',
  );
  expect(samples.get(server)).toBeGreaterThan(Date.now() / 1000);
  expect(shown('client', stage.leaf)).toBe(ends(stage.leaf));
});

it('shows the state of the trust anchors, and the running version', () => {
  expect(samples.get('ehi_trust_root_pinned{anchor="example"}')).toBe(0);
  expect(samples.get('ehi_trust_age_seconds{anchor="example"}')).toBeGreaterThan(0);
  expect(samples.get('ehi_relay_thread_restarts_total')).toBe(0);
  expect(samples.get('ehi_audit_records_lost_total')).toBe(0);
  expect(names('ehi_build_info')).toEqual([
    expect.stringMatching(/^ehi_build_info\{version="\d+\.\d+\.\d+",node="\d+\.\d+\.\d+"\}$/),
  ]);
});

it('answers /healthz and /readyz with 200, and any other path with 404', async () => {
  expect(await stage.gateway.admin('/healthz')).toEqual({ status: 200, body: 'ok\n' });
  expect(await stage.gateway.admin('/readyz')).toEqual({
    status: 200,
    body: '{"ready":true,"reasons":[]}\n',
  });
  expect((await stage.gateway.admin('/nothing')).status).toBe(404);
});

it('counts a message in flight while its host has not answered', async () => {
  let release = () => {};
  const { answer } = stage.host.options;
  stage.host.options.answer = (_request, socket) => {
    release = () => socket.write('HTTP/1.1 204 No Content\r\n\r\n');
    return null;
  };
  await using client = await stage.connect();
  const requests = stage.host.requests.length;
  client.write(post());
  await stage.host.request(requests);
  await metricsWhen(stage.gateway, (each) => each.get('ehi_in_flight') === 1);
  release();
  await client.response();
  await metricsWhen(stage.gateway, (each) => each.get('ehi_in_flight') === 0);
  stage.host.options.answer = answer as NonNullable<typeof answer>;
  const after = await readMetrics(stage.gateway);
  for (const [name, value] of samples) {
    if (/^ehi_\w+_(total|count)(\{|$)/.test(name)) expect(after.get(name)).toBeGreaterThanOrEqual(value);
  }
});
